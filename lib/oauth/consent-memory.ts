import { z } from 'zod'
import { sha256 } from '#lib/core/hash'
import type { ClientRecord } from '#lib/oauth/client'
import { redirectKind } from '#lib/oauth/redirect-uri'

/** What a person allowed an app, kept so that they are not asked again (`CONSENT_MEMORY`). */
export const rememberedConsent = z.looseObject({
  v: z.literal(1),
  scopes: z.array(z.string()),
  /** The account's epoch: signing out everywhere forgets. */
  epoch: z.number(),
  /** The client's: ending all of its connections forgets. */
  clientEpoch: z.number().optional(),
  /** Of the client's metadata as it was shown. */
  digest: z.string().optional(),
  /** ms */
  expiresAt: z.number(),
})
export type RememberedConsent = z.output<typeof rememberedConsent>

/** An app and where the answer goes. */
export interface Remembered {
  readonly client: ClientRecord
  readonly redirectUri: string
}

/**
 * Whether an answer may be remembered at all: only for a client whose domain vouches for it and to whose own
 * host the answer goes by https. On the loopback interface and behind a private-use scheme any program could
 * take the place of the app (OAuth 2.1 §7.3.1).
 */
export function mayBeRemembered({ client, redirectUri }: Remembered): boolean {
  if (client.kind !== 'metadata_document' || redirectKind(redirectUri) !== 'https') return false
  return URL.canParse(client.id) && new URL(client.id).host === new URL(redirectUri).host
}

/** Names the memory of one app and one address within an account; nobody can read them from it. */
export const rememberedHash = ({ client, redirectUri }: Remembered): Promise<string> =>
  sha256(`${client.id}\n${redirectUri}`)

/** Whether a memory answers a request: no more is asked than was allowed, and nothing else has changed. */
export function answersRequest(
  memory: RememberedConsent,
  asked: {
    readonly scopes: readonly string[]
    readonly epoch: number
    readonly clientEpoch?: number | undefined
    readonly client: ClientRecord
    readonly now: number
  },
): boolean {
  const isSame =
    memory.epoch === asked.epoch &&
    memory.clientEpoch === asked.clientEpoch &&
    memory.digest === asked.client.digest
  return isSame && asked.now < memory.expiresAt && asked.scopes.every((name) => memory.scopes.includes(name))
}
