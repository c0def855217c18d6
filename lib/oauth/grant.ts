import { z } from 'zod'
import { clientRecord } from '#lib/oauth/client'

const base = {
  v: z.literal(1),
  id: z.string(),
  accountId: z.string(),
  /** The account's epoch at consent. */
  epoch: z.number(),
  client: clientRecord,
  /** The client's epoch at consent; absent: 0. */
  clientEpoch: z.number().optional(),
  /** What the person allowed. */
  scopes: z.array(z.string()),
  resource: z.string(),
  /** ms, consent. */
  createdAt: z.number(),
  /** SHA-256 of the authorization code. Kept after redemption: it tells a replay. */
  codeHash: z.string(),
  codeChallenge: z.string(),
  redirectUri: z.string(),
}

/** Requests whose redemption was taken back: nobody was answered (decision 0014). */
const withdrawn = z.array(z.string()).optional()

/** Consent was given and the code not yet redeemed. */
const pendingGrant = z.looseObject({
  ...base,
  status: z.literal('pending'),
  /** ms: the code is refused from then on. */
  codeExpiresAt: z.number(),
  withdrawn,
})

const refreshState = z.looseObject({
  /** Keys the proof in every refresh token of this grant. */
  salt: z.string(),
  /** The current generation, from 1. */
  generation: z.number(),
  /** The highest generation that was seen in use, by a refresh or a call. */
  usedGeneration: z.number(),
  /** When the latest superseded generations were superseded (ms), oldest first. */
  superseded: z.array(z.looseObject({ generation: z.number(), at: z.number() })),
})

const activeGrant = z.looseObject({
  ...base,
  status: z.literal('active'),
  /** The request that redeemed the code: repeated by a transport, it is answered alike. */
  redeemedBy: z.string(),
  withdrawn,
  /** ms: no refresh token and no access token outlives it. */
  expiresAt: z.number(),
  /** ms: the redemption or the last refresh. */
  renewedAt: z.number(),
  /** Absent when the client did not register for refresh tokens. */
  refresh: refreshState.optional(),
})

/** A personal access token: a person let their own program in, so there is no client and no code. */
const personalGrant = z.looseObject({
  v: z.literal(1),
  id: z.string(),
  status: z.literal('personal'),
  accountId: z.string(),
  /** The account's epoch when the token was made. */
  epoch: z.number(),
  /** What its owner calls it. */
  name: z.string(),
  scopes: z.array(z.string()),
  /** ms */
  createdAt: z.number(),
  /** ms, whole seconds: the token says the same. */
  expiresAt: z.number(),
  /** SHA-256 of the random part of the token. */
  secretHash: z.string(),
})

/**
 * The one record of a connection or of a personal access token, from its beginning to its end by deletion
 * (DESIGN.md §6).
 */
export const grantRecord = z.discriminatedUnion('status', [pendingGrant, activeGrant, personalGrant])

export type PendingGrant = z.output<typeof pendingGrant>
export type ActiveGrant = z.output<typeof activeGrant>
export type PersonalGrant = z.output<typeof personalGrant>
/** What a client was given. */
export type ConnectionGrant = PendingGrant | ActiveGrant
export type Grant = z.output<typeof grantRecord>

/** The grant as one of a client: no code, refresh token or client is ever that of a personal token. */
export const asConnection = (grant: Grant | undefined): ConnectionGrant | undefined =>
  grant?.status === 'personal' ? undefined : grant

/** What a call learns of its grant. */
export interface AdmittedGrant {
  readonly client: {
    readonly key: string
    readonly name: string
    readonly verified: boolean
    readonly personal?: boolean
  }
  /** Scopes of the token that the grant still holds. */
  readonly scopes: readonly string[]
  /** The highest generation known to be in use; `undefined` when the grant has no refresh token. */
  readonly usedGeneration: number | undefined
  /** The record as it was read: a note of its use is committed against it. */
  readonly text: string
}

/** A personal access token as its owner sees it. Times in ms. */
export interface PersonalTokenSummary {
  readonly id: string
  readonly name: string
  readonly scopes: readonly string[]
  readonly createdAt: number
  readonly expiresAt: number
  /** To the minute; `undefined`: not used yet. */
  readonly lastUsedAt: number | undefined
}

/** A connection as its owner sees it. Times in ms. */
export interface GrantSummary {
  readonly id: string
  readonly client: {
    readonly id: string
    readonly kind: string
    readonly key: string
    readonly name: string
    readonly verified: boolean
  }
  /** Where the answer of the authorization went. */
  readonly redirectUri: string
  readonly scopes: readonly string[]
  readonly createdAt: number
  readonly expiresAt: number
  /** To the minute; `undefined`: not used yet. */
  readonly lastUsedAt: number | undefined
}
