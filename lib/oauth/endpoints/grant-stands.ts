import { sha256 } from '#lib/core/hash'
import { type StandingFault, standingFault } from '#lib/oauth/client-standing'
import { standingOf, standingRead } from '#lib/oauth/endpoints/client-standing'
import type { OAuthDeps } from '#lib/oauth/endpoints/deps'
import type { ConnectionGrant } from '#lib/oauth/grant'

/**
 * Makes a question that is asked at most once in a request, and in one: why a grant no longer stands though
 * its record does. Tokens are issued only when nothing speaks against it.
 */
export function grantStands({
  accountCheck,
  store,
}: OAuthDeps): (grant: ConnectionGrant) => Promise<'account_ended' | StandingFault | undefined> {
  let answer: Promise<'account_ended' | StandingFault | undefined> | undefined

  async function ask({ accountId, epoch, client, clientEpoch }: ConnectionGrant) {
    const account = accountCheck(accountId, epoch)
    const standing = standingRead(await sha256(client.key))
    const [accountText, standingText] = await store.batch(account.operation, standing)
    if (!account.decide(accountText).ok) return 'account_ended'
    return standingFault(standingOf(standingText), clientEpoch)
  }

  return (grant) => {
    answer ??= ask(grant)
    return answer
  }
}
