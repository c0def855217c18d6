import { LIST_PAGE } from '#lib/config/limits'
import type { OAuth, OAuthDeps } from '#lib/oauth/endpoints/deps'
import { memoryKeys } from '#lib/oauth/endpoints/remembered-consent'
import { asConnection, type Grant, grantRecord } from '#lib/oauth/grant'
import { keys } from '#lib/store/keys'
import { del, get, range, unrank } from '#lib/store/operations'
import { parseRecord, UnreadableRecord } from '#lib/store/record'

/**
 * Ends the connections of an account by deleting them, page by page: all with the client of that key, or all
 * and the personal access tokens. Each has ended when the page that holds it is done. A record that cannot be
 * read goes with all, and stays where only those of a client are asked for.
 */
export async function endGrantsOf(
  deps: OAuthDeps,
  { accountId, clientKey, why }: Parameters<OAuth['endGrantsOf']>[0],
): Promise<number> {
  const matches = (grant: Grant | undefined) =>
    grant === undefined
      ? clientKey === undefined
      : grant.accountId === accountId &&
        (clientKey === undefined || asConnection(grant)?.client.key === clientKey)

  let ended = await endIn(deps, { index: keys.grantsOf(accountId), accountId }, matches)
  if (clientKey === undefined) {
    ended += await endIn(deps, { index: keys.personalTokensOf(accountId), accountId }, matches)
  }
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
  { index, accountId }: { readonly index: string; readonly accountId: string },
  matches: (grant: Grant | undefined) => boolean,
): Promise<number> {
  let ended = 0
  // Those that stay are stepped over; those that end leave the index.
  for (let stays = 0; ; ) {
    const entries = await store.run(range(index, { limit: LIST_PAGE, offset: stays }))
    if (entries.length === 0) return ended
    const texts = await store.batch(...entries.map(({ member }) => get(keys.grant(member), { fresh: true })))
    const ending = entries.flatMap(({ member: id }, position) => {
      const text = texts[position] ?? null
      const grant = text === null ? undefined : readable(text)
      return text !== null && matches(grant) ? [{ id, grant }] : []
    })
    if (ending.length > 0) {
      const records = await Promise.all(ending.map(recordsOf))
      await store.batch(del(...records.flat()), ...ending.map(({ id }) => unrank(index, id)))
      for (const { id: grantId } of ending) log('warn', 'grant_ended', { accountId, grantId })
    }
    ended += ending.length
    stays += entries.length - ending.length
  }
}

function readable(text: string): Grant | undefined {
  try {
    return parseRecord(grantRecord, text)
  } catch (error) {
    if (error instanceof UnreadableRecord) return undefined
    throw error
  }
}

/** All that ends with a grant. */
async function recordsOf({
  id,
  grant,
}: {
  id: string
  grant: Grant | undefined
}): Promise<readonly string[]> {
  const connection = grant && asConnection(grant)
  const memories = connection ? await memoryKeys(connection) : []
  return [keys.grant(id), keys.grantUse(id), ...memories]
}
