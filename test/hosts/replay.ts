import { check } from '#test/hosts/checks'
import { makeFirstCalls } from '#test/hosts/first-calls'
import type { Memory } from '#test/hosts/memory'
import { authorize, discover, redeem, register } from '#test/hosts/oauth-steps'
import type { HostProfile } from '#test/hosts/profile'
import { refresh } from '#test/hosts/races'
import type { FetchPerson } from '#test/support/person-by-fetch'

/** What happened at one step. `skipped`: a step before it failed, or the server does not offer it. */
export type Result = 'works' | 'fails' | 'skipped'

export const stepNames = [
  'discovery',
  'registration',
  'authorization',
  'token',
  'first calls',
  'refresh',
  'checks',
] as const
export type StepName = (typeof stepNames)[number]

/** One host on its way through a server, a step at a time, in the order of `stepNames`. */
export interface Replay {
  readonly results: Readonly<Record<StepName, Result>>
  /** Whether the server says that it reads metadata documents; known after `discovery`. */
  readonly offersDocuments: () => boolean
  /** Throws with the reason when this host would not get further. */
  step(name: StepName): Promise<void>
}

const steps: Readonly<Record<StepName, (memory: Memory) => Promise<void>>> = {
  discovery: discover,
  registration: register,
  authorization: authorize,
  token: redeem,
  'first calls': makeFirstCalls,
  refresh,
  checks: check,
}

/** A dynamic port, always another: hosts take what is free. */
let nextPort = 49_200

/**
 * Replays a host against any Gatehouse.
 *
 * @param origin - where the server is, e.g. `https://notes.example.com`
 * @param person - signed in; allows whatever is asked
 */
export function replay(options: {
  readonly profile: HostProfile
  readonly origin: string
  readonly person: FetchPerson
  readonly byDocument?: boolean
}): Replay {
  const { profile, origin, person, byDocument = false } = options
  const url = `${origin}/api/mcp`
  const memory: Memory = { profile, origin, url, person, byDocument, port: nextPort++, otherPort: nextPort++ }
  const results = Object.fromEntries(stepNames.map((name) => [name, 'skipped'])) as Record<StepName, Result>

  return {
    results,
    offersDocuments: () => memory.server?.client_id_metadata_document_supported === true,
    async step(name) {
      results[name] = 'fails'
      await steps[name](memory)
      results[name] = 'works'
    },
  }
}
