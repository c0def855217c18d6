import { type Config, parseEnv } from '#lib/config/env'
import { ConfigurationRefused } from '#lib/config/refused'
import { NAME, VERSION } from '#lib/config/version'
import { systemClock } from '#lib/core/clock'
import { createKeyRing, type KeyRing } from '#lib/core/key-ring'
import { systemRandom } from '#lib/core/random'
import { err, ok, type Result } from '#lib/core/result'
import { createDashboard } from '#lib/dashboard/dashboard'
import { type Exchange, endpoint, type Outage } from '#lib/http/endpoint'
import { health, ready } from '#lib/http/health'
import { jsonNotFound, jsonOutage } from '#lib/http/json'
import { pageOutage } from '#lib/http/outage-page'
import { callRateCheck } from '#lib/http/rate-limit'
import { createIdentity } from '#lib/identity/identity'
import type { Caller } from '#lib/mcp/define'
import { type AdmissionRefusal, createMcpEndpoint, mcpOutage } from '#lib/mcp/endpoint'
import { createServerFactory, type ServerFactory } from '#lib/mcp/server'
import type { AccessTokenClaims } from '#lib/oauth/access-token'
import { createOAuth, type OAuth } from '#lib/oauth/endpoints/oauth'
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

const server = { name: NAME, version: VERSION }

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

/** Asks everything that stands before a call in one store request: grant, account, rate (DESIGN.md §3). */
function admission(store: Store, { oauth, identity, config, waitUntil }: Admitting) {
  return async (claims: AccessTokenClaims): Promise<Result<Caller, AdmissionRefusal>> => {
    const grantCheck = oauth.grantCheck(claims)
    const accountCheck = identity.accountCheck(claims.accountId, claims.epoch)
    const rateCheck = callRateCheck(claims.accountId, config.rateLimitPerMinute, systemClock())
    const answers = await store.batch(grantCheck.operation, accountCheck.operation, rateCheck.operation)

    const grant = grantCheck.decide(answers[0])
    const account = accountCheck.decide(answers[1])
    if (!grant.ok || !account.ok) return err({ reason: 'token_invalid' })

    const rate = rateCheck.decide(answers[2])
    if (!rate.ok) return err({ reason: 'rate_limited', retryAfterSeconds: rate.error.retryAfterSeconds })

    waitUntil(oauth.noteUse(claims, grant.value))
    return ok({ accountId: claims.accountId, client: grant.value.client, scopes: grant.value.scopes })
  }
}

interface Admitting {
  readonly oauth: OAuth
  readonly identity: ReturnType<typeof createIdentity>
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
  return createConformanceFactory(deps)
}

async function compose(config: Config, opened: Opened, keyRing: KeyRing) {
  const { store } = opened
  const clock = systemClock
  const random = systemRandom
  // biome-ignore lint/suspicious/noConsole: the log is written here and nowhere else
  const log = createLog((line) => console.log(line), config.logLevel, clock)
  const waitUntil: WaitUntil = (work) => hosted().waitUntil?.(quiet(work))
  const quiet = (work: Promise<unknown>) =>
    work.catch((error: unknown) =>
      log('warn', 'deferred_work_failed', { error: error instanceof Error ? error.name : 'unknown' }),
    )
  const common = { keyRing, store, clock, random, log, audit: createAudit(store, clock) }
  const named = { serverName: NAME, version: VERSION }

  const identity = createIdentity({
    ...common,
    ...named,
    origin: config.publicUrl,
    secure: config.publicUrl.startsWith('https:'),
    ownerSetupCode: config.ownerSetupCode,
    describeRequest: (rt) => oauth.describeRequest(rt),
  })
  const oauth: OAuth = createOAuth({
    ...common,
    ...named,
    issuer: config.publicUrl,
    resource: `${config.publicUrl}/api/mcp`,
    scopes,
    settings: config,
    currentUser: identity.currentUser,
    accountCheck: identity.accountCheck,
  })
  const factory = await serverFactory(config, { scopes, ...common })
  const mcp = createMcpEndpoint({
    ...common,
    factory,
    origin: config.publicUrl,
    allowedOrigins: config.allowedOrigins,
    allowedHosts: config.allowedHosts,
    readBearer: oauth.readBearer,
    admit: admission(store, { oauth, identity, config, waitUntil }),
    challenge: oauth.challenge,
  })
  const dashboard = createDashboard({ ...common, origin: config.publicUrl, scopes, oauth, identity })

  const bind = (name: string, handle: Handle, outage: Outage) =>
    endpoint(name, handle, { deps: common, outage })
  const page = pageOutage(server)
  return {
    config,
    identity,
    dashboard,
    offer,
    scopes,
    store: opened,
    endStreams: mcp.endStreams,
    endpoints: {
      mcp: bind('mcp', mcp.handle, mcpOutage),
      health: bind('health', health(VERSION), jsonOutage),
      ready: bind('ready', ready(store), jsonOutage),
      notFound: bind('not_found', jsonNotFound, jsonOutage),
      protectedResourceMetadata: bind('resource_metadata', oauth.protectedResourceMetadata, jsonOutage),
      authorizationServerMetadata: bind('server_metadata', oauth.authorizationServerMetadata, jsonOutage),
      openidConfiguration: bind('openid_configuration', oauth.openidConfiguration, jsonOutage),
      jwks: bind('jwks', oauth.jwks, jsonOutage),
      register: bind('register', oauth.register, jsonOutage),
      token: bind('token', oauth.token, jsonOutage),
      authorize: bind('authorize', oauth.authorize, page),
      consent: bind('consent', oauth.consent, page),
      signInPage: bind('sign_in', identity.signInPage, page),
      signInLink: bind('sign_in_link', identity.signInLink, page),
      setupCode: bind('setup_code', identity.setupCode, page),
      signOut: bind('sign_out', identity.signOut, page),
      endConnection: bind('end_connection', dashboard.endConnection, page),
    },
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
