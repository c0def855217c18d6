import { AUDIT_KEEP, AUDIT_MS } from '#lib/config/limits'
import type { Clock } from '#lib/core/clock'
import type { Log } from '#lib/observability/log'
import { keys } from '#lib/store/keys'
import { append } from '#lib/store/operations'
import type { Store } from '#lib/store/port'

/** Something that happened to an account, a grant or a client: random ids only, no names, no e-mail, no secret. */
export interface AuditEvent {
  /** A snake_case fact, such as `grant_ended`. */
  readonly event: string
  readonly accountId?: string
  readonly grantId?: string
  readonly clientKey?: string
  /** Why, as a snake_case word. */
  readonly why?: string
}

/** Appends to the audit log. */
export type Audit = (event: AuditEvent) => Promise<void>

/** What a store that went back in time forgets, and `connections end --from-log` ends again. */
const endings: ReadonlySet<string> = new Set([
  'grant_ended',
  'personal_token_ended',
  'connections_ended',
  'signed_out',
  'signed_out_everywhere',
  'person_blocked',
  'client_blocked',
  'client_ended',
  'signing_keys_dropped',
])

/**
 * Makes the audit log of a store. Each event is a line of the process log first: it outlives the store, and it
 * stands there when the store does not answer. Endings are warnings, so that a quieter log keeps them.
 */
export function createAudit(store: Store, clock: Clock, log: Log): Audit {
  return async (event) => {
    const { event: name, ...fields } = event
    log(endings.has(name) ? 'warn' : 'info', name, fields)
    const data = JSON.stringify({ v: 1, at: clock(), ...event })
    await store.run(append(keys.audit(), data, { keep: AUDIT_KEEP, ttlMs: AUDIT_MS }))
  }
}
