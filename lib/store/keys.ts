/**
 * The name of every key in the store. Nothing else may spell one.
 *
 * The deployment's prefix is put before it by the store itself. `docs/STORAGE.md` lists each key with its
 * record, its lifetime and what deletes it. A change here orphans live data: it needs a **keys** entry in
 * CHANGELOG.md.
 */
export const keys = {
  /** Record `Grant`: from consent, or the making of a personal access token, to its end. */
  grant: (grantId: string) => `g:${grantId}`,
  /** Record `GrantUse`: when a grant was last used; kept apart so that the grant is not rewritten. */
  grantUse: (grantId: string) => `gu:${grantId}`,
  /** Index: the grant ids of an account by creation time in ms. */
  grantsOf: (accountId: string) => `a:${accountId}:g`,
  /** Index: the grant ids of an account's personal access tokens by creation time in ms. */
  personalTokensOf: (accountId: string) => `a:${accountId}:p`,
  /** Record `ConsentTransaction`: an authorization request waiting for its person's answer. */
  consent: (transactionId: string) => `tx:${transactionId}`,
  /** Record: the sealed set of signing keys. */
  signingKeys: () => 'jwks',
  /** Record `Account`. */
  account: (accountId: string) => `a:${accountId}`,
  /** The account id of the owner. */
  owner: () => 'owner',
  /** The account id of an invited member, by the hash of the normalized name. */
  member: (nameHash: string) => `member:${nameHash}`,
  /** Record `BrowserSession`, by the hash of the cookie. */
  browserSession: (idHash: string) => `s:${idHash}`,
  /** Marks a sign-in link as used. */
  usedLink: (id: string) => `link:${id}`,
  /** Counter: calls of an account in one minute. */
  callRate: (accountId: string, window: number) => `rl:${accountId}:${window}`,
  /** Record `Segment` of a notebook: packed notes. */
  noteSegment: (accountId: string, segment: number) => `n:${accountId}:s:${segment}`,
  /** Log: changes of a notebook. */
  noteChanges: (accountId: string) => `n:${accountId}:log`,
  /** Log: audit events. */
  audit: () => 'audit',
} as const
