import { clientCommands } from '#lib/admin/client-commands'
import type { Command, CommandDeps, CommandOutcome } from '#lib/admin/command'
import { connectionCommands } from '#lib/admin/connection-commands'
import { keyCommands } from '#lib/admin/key-commands'
import { loggedEndings } from '#lib/admin/logged-endings'
import { personCommands } from '#lib/admin/person-commands'
import { sessionCommands } from '#lib/admin/session-commands'
import { err } from '#lib/core/result'

/** The commands of the operator's shell. Each exists once, whichever process carries it out. */
export interface Commands {
  /** @param input - not yet believed */
  run(command: string, input: unknown): Promise<CommandOutcome>
}

/** Binds the commands to the parts of a server. */
export function createCommands(deps: CommandDeps): Commands {
  const known: ReadonlyMap<string, Command> = new Map(
    Object.entries({
      ...clientCommands,
      ...personCommands,
      ...connectionCommands,
      ...keyCommands,
      ...loggedEndings,
      ...sessionCommands,
    }),
  )
  return {
    run: async (name, input) => known.get(name)?.(input, deps) ?? err(`There is no command ${name}.`),
  }
}
