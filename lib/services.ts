import type { Commands } from '#lib/admin/commands'
import { adminDoor } from '#lib/admin/door'
import { sendCommand } from '#lib/admin/send-command'
import { type Config, parseEnv } from '#lib/config/env'
import { FUNCTION_MAX_SECONDS, STREAM_MARGIN_SECONDS } from '#lib/config/limits'
import { ConfigurationRefused } from '#lib/config/refused'
import { VERSION } from '#lib/config/version'
import { systemClock } from '#lib/core/clock'
import type { KeyRing } from '#lib/core/key-ring'
import { systemRandom } from '#lib/core/random'
import type { Result } from '#lib/core/result'
import { createDashboard, type Dashboard } from '#lib/dashboard/dashboard'
import { cronDoor } from '#lib/http/cron'
import { type Exchange, endpoint, type Outage } from '#lib/http/endpoint'
import { health, ready } from '#lib/http/health'
import { jsonNotFound, jsonOutage } from '#lib/http/json'
import { pageOutage } from '#lib/http/outage-page'
import { unavailable } from '#lib/http/unavailable'
import type { Identity } from '#lib/identity/identity'
import { mintSignInLink as mintLink } from '#lib/identity/sign-in-link'
import { createBus } from '#lib/mcp/bus'
import { createMcpEndpoint, type McpEndpoint } from '#lib/mcp/endpoint'
import { createWakes } from '#lib/mcp/live/wakes'
import { createServerFactory, type ServerFactory } from '#lib/mcp/server'
import type { OAuth } from '#lib/oauth/endpoints/deps'
import { admission } from '#lib/services/admission'
import { type Opened, openKeyRing, openStore } from '#lib/services/deployment'
import { commonDeps, introduce, NAME } from '#lib/services/parts'
import { composeTasks } from '#lib/services/tasks'
import { offer } from '#lib/tools/index'
import { scopes } from '#lib/tools/scopes'

/** Lets the platform wait for work that goes on after the answer. */
type WaitUntil = (work: Promise<unknown>) => void

/** The one place that reads the environment. */
function readConfig(): Config {
  const config = parseEnv(process.env)
  if (!config.ok) throw new ConfigurationRefused(config.error)
  return config.value
}

/** The fixture of the conformance suite takes the place of the offer, and of nothing else. */
async function serverFactory(
  { conformance }: Config,
  deps: Parameters<typeof createServerFactory>[1],
): Promise<ServerFactory> {
  if (!conformance) return createServerFactory(offer, deps)
  const { createConformanceFactory } = await import('#lib/mcp/conformance/factory')
  const { fixtureSkills } = await import('#lib/mcp/conformance/skills')
  return createConformanceFactory({ ...deps, skills: await fixtureSkills() })
}

/**
 * Hands work that goes on after an answer to the platform. Outside a request, as when the process is told to
 * stop, there is no answer to go on after, and Next refuses: the work goes on all the same.
 */
function waitsForWork(work: Promise<unknown>): void {
  try {
    hosted().waitUntil?.(work)
  } catch {
    work.catch(() => undefined)
  }
}

/** Introduces the parts to each other: they know one another only as functions. */
async function compose(config: Config, opened: Opened, keyRing: KeyRing) {
  const { store } = opened
  const waitUntil = waitsForWork
  const write = (line: string) => console.log(line)
  const common = commonDeps(config, { store, keyRing, write, afterAnswer: waitUntil })

  const { identity, oauth, commands } = await introduce(config, common)
  const wakes = createWakes(config.pollOnly ? undefined : store, common)
  const bus = createBus({ ...common, wakes, waitUntil, onFault: notPublished(common) })
  const factory = await serverFactory(config, { ...common, scopes })
  const admit = admission(store, { oauth, identity, config, waitUntil })
  const { tasks, cleanUp } = composeTasks(config, common, {
    factory,
    admit,
    publish: bus.publish,
    waitUntil,
  })
  const cron = cronDoor({ secret: config.cronSecret, jobs: { 'clean-up': cleanUp.run } })
  const mcp = createMcpEndpoint({
    ...common,
    tasks,
    wakes,
    bus,
    readopt: config.sessionReadopt,
    streamMode: config.streams === 'nap' ? 'nap' : 'live',
    ...(config.serverless ? { runMaxSeconds: FUNCTION_MAX_SECONDS - STREAM_MARGIN_SECONDS } : {}),
    streamMaxSeconds: config.streams === 'off' ? 0 : config.streamMaxSeconds,
    factory,
    allowedOrigins: config.allowedOrigins,
    allowedHosts: config.allowedHosts,
    readBearer: oauth.readBearer,
    admit,
    challenge: oauth.challenge,
    waitUntil,
  })
  const dashboard = createDashboard({ ...common, offer, scopes, oauth, identity })

  return {
    config,
    identity,
    dashboard,
    store: opened,
    drain: async () => void (await Promise.all([tasks.drain(), mcp.drain()])),
    endpoints: bindEndpoints(common, { identity, oauth, mcp, dashboard, commands, cron }),
  }
}

/** A change that could not be written: nobody hears of it. */
const notPublished =
  ({ log }: ReturnType<typeof commonDeps>) =>
  (error: unknown) =>
    log('warn', 'change_not_published', { error: error instanceof Error ? error.name : 'unknown' })

interface Parts {
  readonly identity: Identity
  readonly oauth: OAuth
  readonly mcp: McpEndpoint
  readonly dashboard: Dashboard
  readonly commands: Commands
  readonly cron: (request: Request) => Promise<Response>
}

/** Each endpoint with its name in the log and the form of its outage. */
function bindEndpoints(
  common: ReturnType<typeof commonDeps>,
  { identity, oauth, mcp, dashboard, commands, cron }: Parts,
) {
  const bind = (outage: Outage) => (name: string, handle: Handle) =>
    endpoint(name, handle, { deps: common, outage })
  const page = bind(pageOutage({ name: NAME, version: VERSION }))
  const json = bind(jsonOutage)
  return {
    mcp: bind(mcp.outage)('mcp', mcp.handle),
    admin: json('admin', adminDoor({ ...common, commands })),
    cron: json('cron', cron),
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
    passkeyOptions: json('passkey_options', identity.passkeyOptions),
    passkey: page('passkey', identity.passkey),
    newPasskey: page('new_passkey', identity.newPasskey),
    recoveryCode: page('recovery_code', identity.recoveryCode),
    dashboardUnavailable: page('dashboard_unavailable', unavailable(common.store)),
    endConnection: page('end_connection', dashboard.endConnection),
    createToken: page('create_token', dashboard.createToken),
    endToken: page('end_token', dashboard.endToken),
    renamePasskey: page('rename_passkey', dashboard.accountCommands.renamePasskey),
    removePasskey: page('remove_passkey', dashboard.accountCommands.removePasskey),
    renewRecoveryCodes: page('renew_recovery_codes', dashboard.accountCommands.renewRecoveryCodes),
    endBrowserSession: page('end_browser_session', dashboard.accountCommands.endBrowserSession),
    signOutEverywhere: page('sign_out_everywhere', dashboard.accountCommands.signOutEverywhere),
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
  const keyRing = await openKeyRing(config)
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
  const keyRing = await openKeyRing(config)
  return mintLink({ origin: config.publicUrl, keyRing, clock: systemClock, random: systemRandom }, whom)
}

/**
 * Carries out a command of the operator's shell: in this process where the store can be shared, and in the
 * running server where it has the local store to itself.
 *
 * @returns what to print, or why nothing was done in words
 * @throws ConfigurationRefused naming every fault of the environment
 * @throws StoreUnavailable when the store does not answer; the command may then be repeated
 */
export async function runCommand(
  command: string,
  input: Readonly<Record<string, unknown>>,
): Promise<Result<readonly string[], string>> {
  const config = readConfig()
  const keyRing = await openKeyRing(config)
  const opened = await openStore(config).catch((error: unknown) => {
    if (error instanceof Error && error.name === 'DataFolderInUse') return undefined
    throw error
  })
  if (!opened) {
    const origin = `http://127.0.0.1:${config.port}`
    return sendCommand({ command, input }, { origin, keyRing, clock: systemClock, random: systemRandom })
  }
  try {
    const { store } = opened
    const write = (line: string) => console.error(line)
    // What ended is said, as the server's log would say it; what else was done is the command's own answer.
    const quiet = { ...config, logLevel: 'warn' as const }
    const common = commonDeps(quiet, { store, keyRing, write, afterAnswer: () => undefined })
    const { commands } = await introduce(config, common)
    return await commands.run(command, input)
  } finally {
    await opened.store.close()
  }
}
