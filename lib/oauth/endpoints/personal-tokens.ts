import {
  GRANT_ORPHAN_MS,
  PERSONAL_TOKEN_DAY_MS,
  PERSONAL_TOKEN_DAYS,
  PERSONAL_TOKEN_MAX_MS,
  PERSONAL_TOKENS_MAX,
} from '#lib/config/limits'
import { toSeconds } from '#lib/core/clock'
import { equalInConstantTime, sha256 } from '#lib/core/hash'
import { err, ok, type Result } from '#lib/core/result'
import { bestEffort } from '#lib/oauth/endpoints/best-effort'
import type { OAuth, OAuthDeps } from '#lib/oauth/endpoints/deps'
import {
  type AdmittedGrant,
  type Grant,
  grantRecord,
  type PersonalGrant,
  type PersonalTokenSummary,
} from '#lib/oauth/grant'
import { grantUseRecord } from '#lib/oauth/grant-use'
import { mintPersonalToken, type PersonalTokenClaims } from '#lib/oauth/personal-token'
import { readPersonalTokenRequest } from '#lib/oauth/personal-token-request'
import { keys } from '#lib/store/keys'
import { del, get, range, rank, set, unrank } from '#lib/store/operations'
import type { Ranked } from '#lib/store/port'
import { parseRecord } from '#lib/store/record'

/** What the form brings along so that sending it twice makes one token: 16 random bytes. */
const ONCE = /^[\w-]{22}$/

/** Lives to choose from: where accounts are forgotten, as on previews, none is longer than theirs. */
export const personalTokenDays = ({ settings }: Pick<OAuthDeps, 'settings'>): readonly number[] =>
  PERSONAL_TOKEN_DAYS.filter(
    (days) => days * PERSONAL_TOKEN_DAY_MS <= (settings.recordTtlMs ?? PERSONAL_TOKEN_MAX_MS),
  )

/** The client key of a token: its own, so that permissions and sessions are never those of another token. */
const clientKeyOf = (grantId: string) => `pat_${grantId}`

/** What the grant of a personal access token lets a call do; pure, like the check that it is part of. */
export function admitPersonal(
  grant: Grant,
  claims: PersonalTokenClaims,
  { now, text }: { readonly now: number; readonly text: string },
): Result<AdmittedGrant, 'grant_ended'> {
  if (grant.status !== 'personal' || !isFor(grant, claims) || now >= grant.expiresAt) {
    return err('grant_ended')
  }
  return ok({
    // The person named it on our own page: there is nobody else whose word it could be.
    client: { key: clientKeyOf(grant.id), name: grant.name, verified: true, personal: true },
    scopes: grant.scopes,
    usedGeneration: undefined,
    text,
  })
}

const isFor = (grant: PersonalGrant, claims: PersonalTokenClaims) =>
  grant.accountId === claims.accountId &&
  grant.epoch === claims.epoch &&
  equalInConstantTime(grant.secretHash, claims.secretHash)

/**
 * Makes a token: index entry first, record second, so that no token works unlisted. The grant's id comes from
 * the form, so that one sent twice finds the first token instead of making a second.
 */
export async function createPersonalToken(
  deps: OAuthDeps,
  { user, once, ...asked }: Parameters<OAuth['createPersonalToken']>[0],
): ReturnType<OAuth['createPersonalToken']> {
  const { keyRing, clock, random, scopes } = deps
  const request = readPersonalTokenRequest(asked, { scopes, days: personalTokenDays(deps) })
  if (!request.ok) return request
  if (!ONCE.test(once)) return err('form_invalid')

  const { accountId, epoch } = user
  const createdAt = clock()
  const expiresAt = toSeconds(createdAt + request.value.days * PERSONAL_TOKEN_DAY_MS)
  const grantId = (await sha256(`${accountId}\0${once}`)).slice(0, 22)
  const secret = random(32)
  const grant: PersonalGrant = {
    v: 1,
    id: grantId,
    status: 'personal',
    accountId,
    epoch,
    name: request.value.name,
    scopes: [...request.value.scopes],
    createdAt,
    expiresAt: expiresAt * 1000,
    secretHash: await sha256(secret),
  }
  const token = await mintPersonalToken({ grantId, accountId, epoch, expiresAt }, { secret, keyRing })
  const refusal = await enter(deps, grant)
  if (refusal) return err(refusal)

  await bestEffort(deps, () =>
    deps.audit({ event: 'personal_token_created', accountId, grantId, clientKey: clientKeyOf(grantId) }),
  )
  return ok({ token, summary: summaryOf(grant, null) })
}

async function enter(
  deps: OAuthDeps,
  grant: PersonalGrant,
): Promise<'too_many' | 'already_made' | undefined> {
  const { store } = deps
  const index = keys.personalTokensOf(grant.accountId)
  const listed = await listPersonalTokens(deps, grant.accountId)
  if (listed.some(({ id }) => id === grant.id)) return 'already_made'

  const [, entries] = await store.batch(
    rank(index, grant.id, grant.createdAt, PERSONAL_TOKEN_MAX_MS),
    range(index, { limit: PERSONAL_TOKENS_MAX + 1, highestFirst: true }),
  )
  if (entries.length > PERSONAL_TOKENS_MAX) {
    await store.run(unrank(index, grant.id))
    return 'too_many'
  }
  const text = JSON.stringify(grant)
  const ttlMs = grant.expiresAt - grant.createdAt
  if (await store.run(set(keys.grant(grant.id), text, { ifAbsent: true, ttlMs }))) return undefined
  // A reply that was lost looks like somebody else's record and is our own.
  return (await store.run(get(keys.grant(grant.id), { fresh: true }))) === text ? undefined : 'already_made'
}

/** The tokens of an account, newest first. Entries whose record is gone are tidied away. */
export async function listPersonalTokens(
  deps: OAuthDeps,
  accountId: string,
): Promise<readonly PersonalTokenSummary[]> {
  const { store, clock } = deps
  const index = keys.personalTokensOf(accountId)
  const entries = await store.run(range(index, { limit: PERSONAL_TOKENS_MAX + 1, highestFirst: true }))
  if (entries.length === 0) return []

  const texts = await store.batch(
    ...entries.flatMap(({ member }) => [
      get(keys.grant(member), { fresh: true }),
      get(keys.grantUse(member)),
    ]),
  )
  const now = clock()
  const isGone = ({ score }: Ranked, position: number) =>
    texts[2 * position] === null && now - score > GRANT_ORPHAN_MS
  const gone = entries.filter(isGone)
  if (gone.length > 0) {
    await bestEffort(deps, () => store.batch(...gone.map(({ member }) => unrank(index, member))))
  }
  return entries.flatMap((_, position) => {
    const text = texts[2 * position] ?? null
    const grant = text === null ? undefined : parseRecord(grantRecord, text)
    const isTheirs = grant?.status === 'personal' && grant.accountId === accountId && now < grant.expiresAt
    return isTheirs ? [summaryOf(grant, texts[2 * position + 1] ?? null)] : []
  })
}

function summaryOf(
  { id, name, scopes, createdAt, expiresAt }: PersonalGrant,
  use: string | null,
): PersonalTokenSummary {
  const lastUsedAt = use === null ? undefined : parseRecord(grantUseRecord, use).at
  return { id, name, scopes, createdAt, expiresAt, lastUsedAt }
}

/** Ends a token by deleting its grant: the next call is refused. */
export async function endPersonalToken(
  deps: OAuthDeps,
  { accountId, grantId, why }: { readonly accountId: string; readonly grantId: string; readonly why: string },
): Promise<boolean> {
  const { store } = deps
  const text = await store.run(get(keys.grant(grantId), { fresh: true }))
  const grant = text === null ? undefined : parseRecord(grantRecord, text)
  if (grant?.status !== 'personal' || grant.accountId !== accountId) return false

  await store.run(del(keys.grant(grantId)))
  await bestEffort(deps, () =>
    store.batch(unrank(keys.personalTokensOf(accountId), grantId), del(keys.grantUse(grantId))),
  )
  const clientKey = clientKeyOf(grantId)
  await bestEffort(deps, () =>
    deps.audit({ event: 'personal_token_ended', accountId, grantId, clientKey, why }),
  )
  return true
}
