import type { OAuthDeps } from '#lib/oauth/endpoints/deps'
import type { Grant } from '#lib/oauth/grant'

/**
 * Makes a question that is asked at most once in a request: whether the account behind a grant still stands.
 * Tokens are issued only then.
 */
export function accountStands({ accountCheck, store }: OAuthDeps): (grant: Grant) => Promise<boolean> {
  let answer: Promise<boolean> | undefined
  return ({ accountId, epoch }) => {
    const check = accountCheck(accountId, epoch)
    answer ??= store.run(check.operation).then((text) => check.decide(text).ok)
    return answer
  }
}
