import type { Clock } from '#lib/core/clock'
import type { KeyRing } from '#lib/core/key-ring'
import type { Random } from '#lib/core/random'
import type { Audit } from '#lib/observability/audit'
import type { Log } from '#lib/observability/log'
import type { Store } from '#lib/store/port'

/** What identity needs from the composition root. */
export interface IdentityDeps {
  /** `PUBLIC_URL`. */
  readonly origin: string
  readonly serverName: string
  readonly version: string
  /** Cookies are `__Host-` and `Secure`: the origin is https. */
  readonly secure: boolean
  readonly keyRing: KeyRing
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly audit: Audit
  /** Lets the first person become the owner; absent: only a sign-in link can. */
  readonly ownerSetupCode?: string | undefined
  /** The relying party of passkeys; absent: the origin has no host name, so there are none. */
  readonly passkeyRpId?: string | undefined
  /** The address of a caller, for limits; absent: unknown. */
  readonly callerOf?: ((request: Request) => string | undefined) | undefined
  /** Lifetime of accounts, on previews; absent: they stay until they are deleted. */
  readonly recordTtlMs?: number | undefined
  /** The app behind a sealed authorization request; `undefined` when it expired or is not ours. */
  readonly describeRequest: (rt: string) => Promise<{ readonly clientName: string } | undefined>
}
