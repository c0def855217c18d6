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
  /** Record `RememberedConsent`, by the hash of client id and redirect URI. */
  consentMemory: (accountId: string, hash: string) => `cm:${accountId}:${hash}`,
  /** Record `CachedDocument`: a client id metadata document, by the hash of its address. */
  clientDocument: (urlHash: string) => `cimd:${urlHash}`,
  /** Record `CachedKeySet`: the public keys of a client, by the hash of their address. */
  clientKeySet: (urlHash: string) => `cks:${urlHash}`,
  /** Marks a client's signed assertion as used, by the hash of client id and `jti`. */
  usedAssertion: (idHash: string) => `jti:${idHash}`,
  /** Record: the sealed set of signing keys. */
  signingKeys: () => 'jwks',
  /** Record `Account`. */
  account: (accountId: string) => `a:${accountId}`,
  /** The account id of the owner. */
  owner: () => 'owner',
  /** Index: every account id by creation time in ms. */
  people: () => 'people',
  /** The account id of an invited member, by the hash of the normalized name. */
  member: (nameHash: string) => `member:${nameHash}`,
  /** Record `StaticClient`: an app that the operator registered. */
  staticClient: (clientId: string) => `c:${clientId}`,
  /** Index: the ids of static clients by creation time in ms. */
  staticClients: () => 'clients',
  /** Record `ClientStanding`, by the hash of the client key: blocked, and which connections have ended. */
  clientStanding: (keyHash: string) => `b:${keyHash}`,
  /** Marks the token of an admin command as used. */
  usedCommand: (id: string) => `adm:${id}`,
  /** Record `BrowserSession`, by the hash of the cookie. */
  browserSession: (idHash: string) => `s:${idHash}`,
  /** Index: the hashes of an account's browser sessions by the time they began in ms. */
  browserSessionsOf: (accountId: string) => `a:${accountId}:s`,
  /** Record `WaysIn`: an account's passkeys and the codes that are left to it. */
  waysIn: (accountId: string) => `a:${accountId}:w`,
  /** The account that a set of recovery codes belongs to, by the hash of what its codes begin with. */
  recoveryCodes: (setHash: string) => `rc:${setHash}`,
  /** Marks the challenge of a passkey as answered, by its hash. */
  usedChallenge: (hash: string) => `wa:${hash}`,
  /** Marks a sign-in link as used. */
  usedLink: (id: string) => `link:${id}`,
  /** Counter: calls of an account in one minute. */
  callRate: (accountId: string, window: number) => `rl:${accountId}:${window}`,
  /** Record `Segment` of a notebook: packed notes. */
  noteSegment: (accountId: string, segment: number) => `n:${accountId}:s:${segment}`,
  /** Log: changes of a notebook. */
  noteChanges: (accountId: string) => `n:${accountId}:log`,
  /** Record `SessionRecord` of the 2025 era, by the id that is sealed in `Mcp-Session-Id`. */
  mcpSession: (sid: string) => `ms:${sid}`,
  /** Record `SessionPreferences`: log level and subscriptions; outlives the session's record. */
  mcpPreferences: (sid: string) => `mp:${sid}`,
  /** Index: the sessions of an account by last use in ms, within an hour. */
  mcpSessionsOf: (accountId: string) => `a:${accountId}:ms`,
  /** Counter: sessions of an hour since 1970, by host and revision. */
  mcpStatistics: (hour: number) => `mst:${hour}`,
  /** Record: how many streams an instance has open. */
  mcpInstance: (instance: string) => `mi:${instance}`,
  /** Index: instances with open streams, by when they last said so in ms. */
  mcpInstances: () => 'mi',
  /** Marks a session as ended by its client. Also the name that its streams are woken by. */
  mcpEnded: (sid: string) => `me:${sid}`,
  /** Record `Run`: one POST of a session that is answered as a stream. */
  mcpRun: (sid: string, xid: string) => `mr:${sid}:${xid}`,
  /** Log: the frames of such a stream. */
  mcpRunLog: (sid: string, xid: string) => `ml:${sid}:${xid}`,
  /** Record: which instance runs it; its lifetime is the lease. */
  mcpRunLease: (sid: string, xid: string) => `mo:${sid}:${xid}`,
  /** Log: what the client sent to it (answers, progress, cancellations). */
  mcpMailbox: (sid: string, xid: string) => `mm:${sid}:${xid}`,
  /** The run that serves a request, by the hash of its JSON-RPC id. */
  mcpRequest: (sid: string, idHash: string) => `mq:${sid}:${idHash}`,
  /** Marks a request as cancelled before its run was registered. */
  mcpCancelled: (sid: string, idHash: string) => `mc:${sid}:${idHash}`,
  /** Record `Holder`: which connection holds the session's GET stream, and how far it got. */
  mcpHolder: (sid: string) => `mh:${sid}`,
  /** Marks a round of questions as answered, for a tool that acts on an answer only once. */
  usedState: (id: string) => `rs:${id}`,
  /** Log: changes that the streams of an account tell of, and messages for one session's GET stream. */
  changes: (accountId: string) => `mb:${accountId}`,
  /** Record `TaskRecord`: a tool call that runs on its own (tasks extension). */
  task: (taskId: string) => `t:${taskId}`,
  /** The arguments of such a call, apart from what changes with each step. */
  taskInput: (taskId: string) => `ti:${taskId}`,
  /** Which runner works on it; its lifetime is the lease. */
  taskLease: (taskId: string) => `tl:${taskId}`,
  /** Index: the task ids of an account by creation time in ms. */
  tasksOf: (accountId: string) => `a:${accountId}:t`,
  /** Index: tasks that need a runner, by creation time in ms. */
  openTasks: () => 'tasks',
  /** Marks a job as done a while ago. */
  job: (name: string) => `job:${name}`,
  /** Log: audit events. */
  audit: () => 'audit',
} as const
