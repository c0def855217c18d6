import {
  GRANT_ORPHAN_MS,
  GRANT_USE_MS,
  GRANTS_LISTED_MAX,
  GRANTS_PER_CLIENT_MAX,
  NOTED_USES_MAX,
} from '#lib/config/limits'
import { createBoundedMap } from '#lib/core/bounded-map'
import { err, ok, type Result } from '#lib/core/result'
import type { AccessTokenClaims } from '#lib/oauth/access-token'
import { bestEffort } from '#lib/oauth/endpoints/best-effort'
import type { OAuth, OAuthDeps } from '#lib/oauth/endpoints/deps'
import { admitPersonal } from '#lib/oauth/endpoints/personal-tokens'
import { memoryKeys } from '#lib/oauth/endpoints/remembered-consent'
import {
  type ActiveGrant,
  type AdmittedGrant,
  asConnection,
  type ConnectionGrant,
  type Grant,
  type GrantSummary,
  grantRecord,
} from '#lib/oauth/grant'
import { grantUseRecord } from '#lib/oauth/grant-use'
import { isPersonal } from '#lib/oauth/personal-token'
import { markUsed } from '#lib/oauth/rotation'
import { type Scope, withIncluded } from '#lib/oauth/scope'
import { keys } from '#lib/store/keys'
import { del, get, range, set, swap, unrank } from '#lib/store/operations'
import type { Operation, Ranked } from '#lib/store/port'
import { parseRecord } from '#lib/store/record'

/** Whether the grant of a token stands; one fresh read that shares the request of a call. */
export const grantCheck =
  ({ clock, scopes }: Pick<OAuthDeps, 'clock' | 'scopes'>): OAuth['grantCheck'] =>
  (claims) => ({
    operation: get(keys.grant(claims.grantId), { fresh: true }),
    decide(text) {
      if (text === null) return err('grant_ended')
      const grant = parseRecord(grantRecord, text)
      const read = { now: clock(), text, scopes }
      return isPersonal(claims) ? admitPersonal(grant, claims, read) : admitConnection(grant, claims, read)
    },
  })

function admitConnection(
  grant: Grant,
  claims: AccessTokenClaims,
  { now, text, scopes }: { readonly now: number; readonly text: string; readonly scopes: readonly Scope[] },
): Result<AdmittedGrant, 'grant_ended'> {
  if (grant.status !== 'active' || !isFor(grant, claims) || now >= grant.expiresAt) return err('grant_ended')

  const { key, name, verified } = grant.client
  const granted = withIncluded(grant.scopes, scopes)
  return ok({
    client: { key, name, verified },
    scopes: claims.scopes.filter((scope) => granted.has(scope)),
    usedGeneration: grant.refresh?.usedGeneration,
    text,
  })
}

const isFor = (grant: ActiveGrant, claims: AccessTokenClaims) =>
  grant.accountId === claims.accountId && grant.client.id === claims.clientId && grant.epoch === claims.epoch

/** Notes uses in one request at most, and mostly in none. */
export function createUseNotes(deps: OAuthDeps): OAuth['noteUse'] {
  const notedAt = createBoundedMap<number>(NOTED_USES_MAX)

  return async (claims, admitted) => {
    const now = deps.clock()
    const operations = isPersonal(claims) ? [] : generationNote(claims, admitted)
    if (now - (notedAt.get(claims.grantId) ?? Number.NEGATIVE_INFINITY) >= GRANT_USE_MS) {
      notedAt.set(claims.grantId, now)
      const ttlMs = isPersonal(claims)
        ? Math.max(1, claims.expiresAt * 1000 - now)
        : deps.settings.refreshMaxSeconds * 1000
      operations.push(set(keys.grantUse(claims.grantId), JSON.stringify({ v: 1, at: now }), { ttlMs }))
    }
    if (operations.length > 0) await bestEffort(deps, () => deps.store.batch(...operations))
  }
}

/** A lost compare is not tried again: the next call of the same generation will. */
function generationNote({ grantId, generation }: AccessTokenClaims, admitted: AdmittedGrant): Operation[] {
  const { usedGeneration, text } = admitted
  if (usedGeneration === undefined || generation <= usedGeneration) return []
  const next = markUsed(parseRecord(grantRecord, text), generation)
  return next ? [swap(keys.grant(grantId), text, JSON.stringify(next))] : []
}

/** The connections of an account, newest first. Entries whose record is gone are tidied away. */
export async function listGrants(deps: OAuthDeps, accountId: string): Promise<readonly GrantSummary[]> {
  const index = keys.grantsOf(accountId)
  const dropBelow = deps.clock() - deps.settings.refreshMaxSeconds * 1000
  const entries = await deps.store.run(
    range(index, { limit: GRANTS_LISTED_MAX, highestFirst: true, dropBelow }),
  )
  return readGrants(deps, { index, entries, accountId })
}

async function readGrants(
  deps: OAuthDeps,
  {
    index,
    entries,
    accountId,
  }: { readonly index: string; readonly entries: readonly Ranked[]; readonly accountId: string },
): Promise<readonly GrantSummary[]> {
  if (entries.length === 0) return []
  const texts = await deps.store.batch(
    ...entries.flatMap(({ member }) => [
      get(keys.grant(member), { fresh: true }),
      get(keys.grantUse(member)),
    ]),
  )
  const now = deps.clock()
  const found: GrantSummary[] = []
  const gone: string[] = []
  entries.forEach(({ member, score }, position) => {
    const text = texts[2 * position] ?? null
    const grant = text === null ? undefined : parseRecord(grantRecord, text)
    const isTheirs = grant?.status === 'active' && grant.accountId === accountId && now < grant.expiresAt
    if (isTheirs) found.push(summaryOf(grant, texts[2 * position + 1] ?? null))
    else if (!grant && now - score > GRANT_ORPHAN_MS) gone.push(member)
  })
  if (gone.length > 0) {
    await bestEffort(deps, () => deps.store.batch(...gone.map((member) => unrank(index, member))))
  }
  return found
}

function summaryOf(grant: ActiveGrant, use: string | null): GrantSummary {
  const { id, kind, key, name, verified } = grant.client
  return {
    id: grant.id,
    client: { id, kind, key, name, verified },
    redirectUri: grant.redirectUri,
    scopes: grant.scopes,
    createdAt: grant.createdAt,
    expiresAt: grant.expiresAt,
    lastUsedAt: use === null ? undefined : parseRecord(grantUseRecord, use).at,
  }
}

/** Ends a connection by deleting it: a refresh that runs at the same time loses its compare. */
export async function endGrant(
  deps: OAuthDeps,
  { accountId, grantId, why }: { readonly accountId: string; readonly grantId: string; readonly why: string },
): Promise<boolean> {
  const text = await deps.store.run(get(keys.grant(grantId), { fresh: true }))
  const grant = text === null ? undefined : asConnection(parseRecord(grantRecord, text))
  if (grant?.accountId !== accountId) return false

  await deps.store.run(del(keys.grant(grantId), ...(await memoryKeys(grant))))
  await noteEnd(deps, grant, why)
  return true
}

/**
 * What follows the deletion of a grant, whoever ended it: what was remembered of its consent goes as well, so
 * that the app asks again. Never throws: the grant has ended.
 */
export async function noteEnd(deps: OAuthDeps, grant: ConnectionGrant, why: string): Promise<void> {
  const { accountId, id: grantId, client } = grant
  await bestEffort(deps, async () =>
    deps.store.batch(
      unrank(keys.grantsOf(accountId), grantId),
      del(keys.grantUse(grantId), ...(await memoryKeys(grant))),
    ),
  )
  await bestEffort(deps, () =>
    deps.audit({ event: 'grant_ended', accountId, grantId, clientKey: client.key, why }),
  )
}

/**
 * Ends the least recently used connections with one client beyond the limit, so that an app which connects
 * again and again cannot fill the store.
 *
 * @param entries - the account's index, newest first
 */
export async function dropExcessGrants(
  deps: OAuthDeps,
  {
    accountId,
    clientId,
    entries,
  }: { readonly accountId: string; readonly clientId: string; readonly entries: readonly Ranked[] },
): Promise<void> {
  if (entries.length <= GRANTS_PER_CLIENT_MAX) return

  const grants = await readGrants(deps, { index: keys.grantsOf(accountId), entries, accountId })
  const excess = grants
    .filter(({ client }) => client.id === clientId)
    .toSorted((left, right) => lastTouched(right) - lastTouched(left))
    // The new one is pending and not among them.
    .slice(GRANTS_PER_CLIENT_MAX - 1)
  for (const { id } of excess) await endGrant(deps, { accountId, grantId: id, why: 'too_many' })
}

const lastTouched = ({ lastUsedAt, createdAt }: GrantSummary) => lastUsedAt ?? createdAt
