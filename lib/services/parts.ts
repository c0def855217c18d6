import { createCommands } from '#lib/admin/commands'
import type { Config } from '#lib/config/env'
import { VERSION } from '#lib/config/version'
import { systemClock, systemPause } from '#lib/core/clock'
import type { KeyRing } from '#lib/core/key-ring'
import { systemRandom } from '#lib/core/random'
import { clientAddress } from '#lib/http/client-address'
import { createIdentity } from '#lib/identity/identity'
import { listSessions, sessionOverview } from '#lib/mcp/sessions/statistics'
import type { OAuth } from '#lib/oauth/endpoints/deps'
import { createOAuth } from '#lib/oauth/endpoints/oauth'
import { createAudit } from '#lib/observability/audit'
import { createLog } from '#lib/observability/log'
import type { Store } from '#lib/store/port'
import { offer } from '#lib/tools/index'
import { scopes } from '#lib/tools/scopes'

/** What people read at the top of every page and on the consent page. */
export const NAME = offer.title

/** What every part is given. */
export function commonDeps(
  { logLevel, publicUrl }: Config,
  parts: {
    readonly store: Store
    readonly keyRing: KeyRing
    readonly write: (line: string) => void
    /** Work that goes on after an answer. */
    readonly afterAnswer: (work: Promise<unknown>) => void
  },
) {
  const clock = systemClock
  const log = createLog(parts.write, logLevel, clock)
  const { store, keyRing, afterAnswer } = parts
  const audit = createAudit(store, clock, log)
  const time = { clock, pause: systemPause, afterAnswer }
  const base = { ...time, keyRing, store, random: systemRandom, log, audit }
  return { ...base, origin: publicUrl, serverName: NAME, version: VERSION }
}

/** The parts that pages, calls and commands share, introduced to each other as functions. */
export async function introduce(config: Config, common: ReturnType<typeof commonDeps>) {
  const identity = createIdentity({
    ...common,
    secure: config.publicUrl.startsWith('https:'),
    ownerSetupCode: config.ownerSetupCode,
    passkeyRpId: config.passkeyRpId,
    callerOf: clientAddress(config.trustProxy),
    recordTtlMs: config.recordTtlMs,
    describeRequest: (rt) => oauth.describeRequest(rt),
  })
  const { createPinnedFetch } = await import('#lib/node/pinned-fetch')
  const oauth: OAuth = createOAuth({
    ...common,
    issuer: config.publicUrl,
    resource: `${config.publicUrl}/api/mcp`,
    scopes,
    settings: config,
    fetchDocument: createPinnedFetch(),
    currentUser: identity.currentUser,
    accountCheck: identity.accountCheck,
    callerOf: clientAddress(config.trustProxy),
    signOutFields: identity.signOutFields,
  })
  const commands = createCommands({
    people: identity.people,
    clients: oauth.staticClients,
    clientStanding: oauth.clientStanding,
    signingKeys: oauth.signingKeys,
    endGrantsOf: oauth.endGrantsOf,
    listGrants: oauth.listGrants,
    endGrant: oauth.endGrant,
    endPersonalToken: oauth.endPersonalToken,
    sessions: {
      list: (accountId) => listSessions(common.store, accountId),
      statistics: () => sessionOverview(common.store, common.clock()),
    },
  })
  return { identity, oauth, commands }
}
