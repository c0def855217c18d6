import { LIST_PAGE } from '#lib/config/limits'
import type { OAuth, OAuthDeps } from '#lib/oauth/endpoints/deps'
import { memoryKeys } from '#lib/oauth/endpoints/remembered-consent'
import { asConnection, type Grant, grantRecord } from '#lib/oauth/grant'
import { keys } from '#lib/store/keys'
import { del, get, range, unrank } from '#lib/store/operations'
import { parseRecord } from '#lib/store/record'

/**
 * Ends the connections of an account by deleting them, page by page: all with the client of that key, or all
 * and the personal access tokens. Each has ended when the page that holds it is done.
 */
export async function endGrantsOf(
  deps: OAuthDeps,
  { accountId, clientKey, why }: Parameters<OAuth['endGrantsOf']>[0],
): Promise<number> {
  const matches = (grant: Grant) =>
    grant.accountId === accountId &&
    (clientKey === undefined || asConnection(grant)?.client.key === clientKey)

  let ended = await endIn(deps, keys.grantsOf(accountId), matches)
  if (clientKey === undefined) ended += await endIn(deps, keys.personalTokensOf(accountId), matches)
  if (ended > 0) {
    await deps.audit({
      event: 'grants_ended',
      accountId,
      why,
      ...(clientKey === undefined ? {} : { clientKey }),
    })
  }
  return ended
}

async function endIn(
  { store, log }: OAuthDeps,
  index: string,
  matches: (grant: Grant) => boolean,
): Promise<number> {
  let ended = 0
  // Those that stay are stepped over; those that end leave the index.
  for (let stays = 0; ; ) {
    const entries = await store.run(range(index, { limit: LIST_PAGE, offset: stays }))
    if (entries.length === 0) return ended
    const texts = await store.batch(...entries.map(({ member }) => get(keys.grant(member), { fresh: true })))
    const grants = texts
      .filter((text) => text !== null)
      .map((text) => parseRecord(grantRecord, text))
      .filter(matches)
    if (grants.length > 0) {
      const records = await Promise.all(grants.map(recordsOf))
      await store.batch(del(...records.flat()), ...grants.map(({ id }) => unrank(index, id)))
      for (const { id: grantId, accountId } of grants) log('warn', 'grant_ended', { accountId, grantId })
    }
    ended += grants.length
    stays += entries.length - grants.length
  }
}

/** All that ends with a grant. */
async function recordsOf(grant: Grant): Promise<readonly string[]> {
  const connection = asConnection(grant)
  const memories = connection ? await memoryKeys(connection) : []
  return [keys.grant(grant.id), keys.grantUse(grant.id), ...memories]
}
