import { AUDIT_KEEP, AUDIT_MS } from '#lib/config/limits'
import type { Clock } from '#lib/core/clock'
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

/** Makes the audit log of a store. */
export function createAudit(store: Store, clock: Clock): Audit {
  return async (event) => {
    const data = JSON.stringify({ v: 1, at: clock(), ...event })
    await store.run(append(keys.audit(), data, { keep: AUDIT_KEEP, ttlMs: AUDIT_MS }))
  }
}
