import { REQUEST_STATE_MAX_LENGTH, REQUEST_STATE_MS } from '#lib/config/limits'
import type { Clock } from '#lib/core/clock'
import { sha256 } from '#lib/core/hash'
import type { KeyRing } from '#lib/core/key-ring'

/** What a state belongs to. Opened for anything else, it is no state at all. */
export interface StateBinding {
  readonly accountId: string
  readonly clientKey: string
  /** `tools/call`, `prompts/get` or `resources/read`. */
  readonly method: string
  /** The tool, the prompt or the URI. */
  readonly target: string
  readonly args: unknown
}

/**
 * `requestState` of one call (2026-07-28, multi-round-trip requests): what the server remembers between two
 * rounds, kept by the client. It is encrypted, and says nothing to the client.
 */
export interface RequestState {
  seal(payload: unknown): Promise<string>
  /** `undefined`: not ours, of another person, app, tool or arguments, or older than `REQUEST_STATE_MS`. */
  open(sealed: string): Promise<unknown>
}

/** Binds states to one call. Any instance with the same secrets opens what another sealed. */
export function createRequestState(
  binding: StateBinding,
  { keyRing, clock }: { readonly keyRing: KeyRing; readonly clock: Clock },
): RequestState {
  return {
    async seal(payload) {
      const text = JSON.stringify({ v: 1, until: clock() + REQUEST_STATE_MS, payload })
      return keyRing.seal('request-state', text, await associated(binding))
    },

    async open(sealed) {
      if (sealed.length > REQUEST_STATE_MAX_LENGTH) return undefined
      const text = await keyRing.open('request-state', sealed, await associated(binding))
      if (text === undefined) return undefined
      // It was sealed by `seal`: the shape is known.
      const { until, payload } = JSON.parse(text) as { until: number; payload: unknown }
      return clock() <= until ? payload : undefined
    },
  }
}

async function associated({ accountId, clientKey, method, target, args }: StateBinding): Promise<string> {
  return JSON.stringify([accountId, clientKey, method, target, await sha256(canonical(args ?? {}))])
}

/** JSON with sorted members: a client may write the same arguments in another order in the next round. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  const members = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1))
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`).join(',')}}`
}
