import { type Config, parseEnv } from '#lib/config/env'
import { ConfigurationRefused } from '#lib/config/refused'
import { VERSION } from '#lib/config/version'
import { systemClock } from '#lib/core/clock'
import { createKeyRing, type KeyRing } from '#lib/core/key-ring'
import { systemRandom } from '#lib/core/random'
import { err, ok, type Result } from '#lib/core/result'
import { createDashboard, type Dashboard } from '#lib/dashboard/dashboard'
import { clientAddress } from '#lib/http/client-address'
import { type Exchange, endpoint, type Outage } from '#lib/http/endpoint'
import { health, ready } from '#lib/http/health'
import { jsonNotFound, jsonOutage } from '#lib/http/json'
import { pageOutage } from '#lib/http/outage-page'
import { callRateCheck } from '#lib/http/rate-limit'
import { createIdentity, type Identity } from '#lib/identity/identity'
import { mintSignInLink as mintLink } from '#lib/identity/sign-in-link'
import type { Caller } from '#lib/mcp/define'
import { type AdmissionRefusal, createMcpEndpoint, type McpEndpoint } from '#lib/mcp/endpoint'
import { createServerFactory, type ServerFactory } from '#lib/mcp/server'
import type { OAuth } from '#lib/oauth/endpoints/deps'
import { createOAuth } from '#lib/oauth/endpoints/oauth'
import type { CallClaims } from '#lib/oauth/personal-token'
import { createAudit } from '#lib/observability/audit'
import { createLog } from '#lib/observability/log'
import type { Store } from '#lib/store/port'
import { offer } from '#lib/tools/index'
import { scopes } from '#lib/tools/scopes'

/** Lets the platform wait for work that goes on after the answer. */
type WaitUntil = (work: Promise<unknown>) => void

interface Opened {
  readonly store: Store
  /** As the banner says it; never with credentials. */
  readonly description: string
}

/** What people read at the top of every page and on the consent page. */
const NAME = offer.title

/** The one place that reads the environment. */
function readConfig(): Config {
  const config = parseEnv(process.env)
  if (!config.ok) throw new ConfigurationRefused(config.error)
  return config.value
}

/** Secrets for the key ring: the configured ones, or the one that the local store keeps in a file. */
async function secretsOf(config: Config): Promise<readonly string[]> {
  if (config.authSecret !== undefined) return [config.authSecret, ...config.oldAuthSecrets]
  if (config.store.kind !== 'local') throw new Error('no secret is configured')

  const { localSecret } = await import('#lib/node/local-secret')
  const { dataFolder } = await import('#lib/node/data-folder')
  return [localSecret(dataFolder(config.store.directory)), ...config.oldAuthSecrets]
}

/** Each client library is loaded only where it is used. */
async function openStore({ store, keyPrefix: prefix }: Config): Promise<Opened> {
  switch (store.kind) {
    case 'upstash': {
      const { createUpstashStore } = await import('#lib/store/redis/upstash')
      return { store: createUpstashStore({ ...store, prefix }), description: new URL(store.url).host }
    }
    case 'tcp': {
      const { createTcpStore } = await import('#lib/store/redis/tcp')
      return { store: createTcpStore({ url: store.url, prefix }), description: new URL(store.url).host }
    }
    case 'local': {
      const { createLocalStore } = await import('#lib/node/local-store')
      const { dataFolder } = await import('#lib/node/data-folder')
      const directory = dataFolder(store.directory)
      return {
        store: await createLocalStore({ directory, prefix, clock: systemClock }),
        description: directory,
      }
    }
  }
}

/** Asks everything that stands before a call in one store request: grant, account, rate, client (DESIGN.md §3). */
function admission(store: Store, { oauth, identity, config, waitUntil }: Admitting) {
  return async (claims: CallClaims): Promise<Result<Caller, AdmissionRefusal>> => {
    const grantCheck = oauth.grantCheck(claims)
    const accountCheck = identity.accountCheck(claims.accountId, claims.epoch)
    const rateCheck = callRateCheck(claims.accountId, config.rateLimitPerMinute, systemClock())
    const standing = oauth.standingCheck(claims)
    const [grantText, accountText, counted, ...others] = await store.batch(
      grantCheck.operation,
      accountCheck.operation,
      rateCheck.operation,
      ...standing.operations,
    )
    const grant = grantCheck.decide(grantText)
    const account = accountCheck.decide(accountText)
    const stands = await standing.decide(others)
    if (!grant.ok || !account.ok || !stands) return err({ reason: 'token_invalid' })

    const rate = rateCheck.decide(counted)
    if (!rate.ok) return err({ reason: 'rate_limited', retryAfterSeconds: rate.error.retryAfterSeconds })

    waitUntil(oauth.noteUse(claims, grant.value))
    return ok({ accountId: claims.accountId, client: grant.value.client, scopes: grant.value.scopes })
  }
}

interface Admitting {
  readonly oauth: OAuth
  readonly identity: Identity
  readonly config: Config
  readonly waitUntil: WaitUntil
}

/** The fixture of the conformance suite takes the place of the offer, and of nothing else. */
async function serverFactory(
  { conformance }: Config,
  deps: Parameters<typeof createServerFactory>[1],
): Promise<ServerFactory> {
  if (!conformance) return createServerFactory(offer, deps)
  const { createConformanceFactory } = await import('#lib/mcp/conformance/factory')
  return createConformanceFactory()
}

/** What every part is given. */
function commonDeps({ logLevel, publicUrl }: Config, store: Store, keyRing: KeyRing) {
  const clock = systemClock
  const log = createLog((line) => console.log(line), logLevel, clock)
  const audit = createAudit(store, clock)
  const base = { keyRing, store, clock, random: systemRandom, log, audit }
  return { ...base, origin: publicUrl, serverName: NAME, version: VERSION }
}

/** Introduces the parts to each other: they know one another only as functions. */
async function compose(config: Config, opened: Opened, keyRing: KeyRing) {
  const common = commonDeps(config, opened.store, keyRing)
  const waitUntil: WaitUntil = (work) => hosted().waitUntil?.(work)

  const identity = createIdentity({
    ...common,
    secure: config.publicUrl.startsWith('https:'),
    ownerSetupCode: config.ownerSetupCode,
    recordTtlMs: config.recordTtlMs,
    describeRequest: (rt) => oauth.describeRequest(rt),
  })
  const oauth: OAuth = createOAuth({
    ...common,
    issuer: config.publicUrl,
    resource: `${config.publicUrl}/api/mcp`,
    scopes,
    settings: config,
    currentUser: identity.currentUser,
    accountCheck: identity.accountCheck,
    callerOf: clientAddress(config.trustProxy),
    signOutFields: identity.signOutFields,
  })
  const mcp = createMcpEndpoint({
    ...common,
    factory: await serverFactory(config, { ...common, scopes }),
    allowedOrigins: config.allowedOrigins,
    allowedHosts: config.allowedHosts,
    readBearer: oauth.readBearer,
    admit: admission(opened.store, { oauth, identity, config, waitUntil }),
    challenge: oauth.challenge,
    waitUntil,
  })
  const dashboard = createDashboard({ ...common, offer, scopes, oauth, identity })

  return {
    config,
    identity,
    dashboard,
    store: opened,
    endStreams: mcp.endStreams,
    endpoints: bindEndpoints(common, { identity, oauth, mcp, dashboard }),
  }
}

interface Parts {
  readonly identity: Identity
  readonly oauth: OAuth
  readonly mcp: McpEndpoint
  readonly dashboard: Dashboard
}

/** Each endpoint with its name in the log and the form of its outage. */
function bindEndpoints(common: ReturnType<typeof commonDeps>, { identity, oauth, mcp, dashboard }: Parts) {
  const bind = (outage: Outage) => (name: string, handle: Handle) =>
    endpoint(name, handle, { deps: common, outage })
  const page = bind(pageOutage({ name: NAME, version: VERSION }))
  const json = bind(jsonOutage)
  return {
    mcp: bind(mcp.outage)('mcp', mcp.handle),
    health: json('health', health(VERSION)),
    ready: json('ready', ready(common.store)),
    notFound: json('not_found', jsonNotFound),
    protectedResourceMetadata: json('resource_metadata', oauth.protectedResourceMetadata),
    authorizationServerMetadata: json('server_metadata', oauth.authorizationServerMetadata),
    openidConfiguration: json('openid_configuration', oauth.openidConfiguration),
    jwks: json('jwks', oauth.jwks),
    register: json('register', oauth.register),
    token: json('token', oauth.token),
    revoke: json('revoke', oauth.revoke),
    authorize: page('authorize', oauth.authorize),
    consent: page('consent', oauth.consent),
    signInPage: page('sign_in', identity.signInPage),
    signInLink: page('sign_in_link', identity.signInLink),
    setupCode: page('setup_code', identity.setupCode),
    signOut: page('sign_out', identity.signOut),
    endConnection: page('end_connection', dashboard.endConnection),
    createToken: page('create_token', dashboard.createToken),
    endToken: page('end_token', dashboard.endToken),
  }
}

type Handle = (request: Request, exchange: Exchange) => Promise<Response>

/** Everything a request may need. */
export type Services = Awaited<ReturnType<typeof compose>>
export type EndpointName = keyof Services['endpoints']

/** Next gives pages, routes and instrumentation their own copies of a module: what is one stands here. */
interface Hosted {
  services?: Promise<Services>
  waitUntil?: WaitUntil
}

const HOSTED = Symbol.for('gatehouse.services')

function hosted(): Hosted {
  const scope = globalThis as { [HOSTED]?: Hosted }
  scope[HOSTED] ??= {}
  return scope[HOSTED]
}

/**
 * The services of this process, made at the first call. Nothing happens at import, so a build needs no
 * environment.
 *
 * @throws ConfigurationRefused naming every fault of the environment
 */
export function services(platform: { readonly waitUntil?: WaitUntil } = {}): Promise<Services> {
  const scope = hosted()
  if (platform.waitUntil) scope.waitUntil = platform.waitUntil
  scope.services ??= build()
  return scope.services
}

async function build(): Promise<Services> {
  const config = readConfig()
  const keyRing = createKeyRing(await secretsOf(config), config.keyPrefix)
  return compose(config, await openStore(config), keyRing)
}

/**
 * Makes a sign-in link without the store, so that it works beside a running server.
 *
 * @throws ConfigurationRefused naming every fault of the environment
 * @throws RangeError when the name cannot be given to a person
 */
export async function mintSignInLink(whom: { readonly member?: string }): Promise<string> {
  const config = readConfig()
  const keyRing = createKeyRing(await secretsOf(config), config.keyPrefix)
  return mintLink({ origin: config.publicUrl, keyRing, clock: systemClock, random: systemRandom }, whom)
}
