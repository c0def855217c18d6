import { LIST_PAGE } from '#lib/config/limits'
import type { OAuth, OAuthDeps } from '#lib/oauth/endpoints/deps'
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
  { store }: OAuthDeps,
  index: string,
  matches: (grant: Grant) => boolean,
): Promise<number> {
  let ended = 0
  // Those that stay are stepped over; those that end leave the index.
  for (let stays = 0; ; ) {
    const entries = await store.run(range(index, { limit: LIST_PAGE, offset: stays }))
    if (entries.length === 0) return ended
    const texts = await store.batch(...entries.map(({ member }) => get(keys.grant(member), { fresh: true })))
    const ids = entries
      .filter((_, position) => {
        const text = texts[position] ?? null
        return text !== null && matches(parseRecord(grantRecord, text))
      })
      .map(({ member }) => member)
    if (ids.length > 0) {
      const records = ids.flatMap((id) => [keys.grant(id), keys.grantUse(id)])
      await store.batch(del(...records), ...ids.map((id) => unrank(index, id)))
    }
    ended += ids.length
    stays += entries.length - ids.length
  }
}
