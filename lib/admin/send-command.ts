import { z } from 'zod'
import { mintAdminToken } from '#lib/admin/admin-token'
import { ADMIN_ANSWER_MS } from '#lib/config/limits'
import type { Clock } from '#lib/core/clock'
import type { KeyRing } from '#lib/core/key-ring'
import type { Random } from '#lib/core/random'
import { err, ok, type Result } from '#lib/core/result'

const answer = z.union([
  z.object({ ok: z.literal(true), lines: z.array(z.string()) }),
  z.object({ ok: z.literal(false), message: z.string() }),
])

/**
 * Lets the server on this machine carry out a command, because it has the local store.
 *
 * @param origin - where it listens, such as `http://127.0.0.1:3000`
 * @returns what it printed, or why nothing was done in words
 */
export async function sendCommand(
  { command, input }: { readonly command: string; readonly input: unknown },
  deps: {
    readonly origin: string
    readonly keyRing: KeyRing
    readonly clock: Clock
    readonly random: Random
  },
): Promise<Result<readonly string[], string>> {
  const body = JSON.stringify(input)
  const token = await mintAdminToken({ command, body }, deps)
  const response = await fetch(`${deps.origin}/api/admin/${command}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body,
    redirect: 'error',
    signal: AbortSignal.timeout(ADMIN_ANSWER_MS),
  }).catch(() => undefined)
  if (!response) {
    return err(
      `A server has the data folder and does not answer at ${deps.origin}. Set PORT to the one it listens on.`,
    )
  }
  const said = answer.safeParse(await response.json().catch(() => undefined))
  if (said.success) return said.data.ok ? ok(said.data.lines) : err(said.data.message)
  return err(
    response.status === 404
      ? `The server at ${deps.origin} does not know this command, or has another AUTH_SECRET.`
      : `The server at ${deps.origin} could not carry the command out (${response.status}). Try again.`,
  )
}
