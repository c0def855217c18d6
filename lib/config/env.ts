import {
  FUNCTION_MAX_SECONDS,
  PREVIEW_RECORD_MS,
  PREVIEW_REFRESH_IDLE_SECONDS,
  PREVIEW_REFRESH_MAX_SECONDS,
  STREAM_MARGIN_SECONDS,
} from '#lib/config/limits'
import { isLoopbackOrigin, relyingPartyId } from '#lib/config/origin'
import { detectPlatform, type Environment, type Platform } from '#lib/config/platform'
import { type Settings, settingsSchema } from '#lib/config/schema'
import { err, ok, type Result } from '#lib/core/result'

/** Where shared state lives. */
type StoreConfig =
  | { readonly kind: 'upstash'; readonly url: string; readonly token: string }
  | { readonly kind: 'tcp'; readonly url: string }
  | { readonly kind: 'local'; readonly directory: string }

/** Everything that the environment decides. */
export interface Config {
  /** The issuer and the origin of every URL that we tell anyone; no trailing slash. */
  readonly publicUrl: string
  /** `publicUrl` means this machine alone. */
  readonly loopback: boolean
  readonly port: number
  readonly platform: Platform['kind']
  readonly serverless: boolean
  readonly preview: boolean
  /** Stands before every key and in the derivation of every secret key. */
  readonly keyPrefix: string
  /** `undefined` only with the local store, which keeps one in a file of its own. */
  readonly authSecret: string | undefined
  readonly oldAuthSecrets: readonly string[]
  readonly store: StoreConfig
  /** Lifetime of records that otherwise stay; set on previews. */
  readonly recordTtlMs: number | undefined
  readonly ownerSetupCode: string | undefined
  /** Besides our own. */
  readonly allowedOrigins: readonly string[]
  /** Besides our own. */
  readonly allowedHosts: readonly string[]
  readonly trustProxy: 'none' | 'vercel' | `hops:${number}`
  readonly strictRedirects: boolean
  /** Patterns of hosts; an empty list allows every public host. */
  readonly cimdAllow: readonly string[]
  /** Patterns of hosts; stronger than `cimdAllow`. */
  readonly cimdBlock: readonly string[]
  readonly consentMemory: boolean
  /** The relying party of passkeys; absent where the origin has no host name: there are none then. */
  readonly passkeyRpId: string | undefined
  readonly accessTokenSeconds: number
  readonly codeSeconds: number
  readonly refreshGraceSeconds: number
  readonly refreshIdleSeconds: number
  readonly refreshMaxSeconds: number
  readonly rateLimitPerMinute: number
  /** How change notifications are served: `live` while connected, `nap` for a while at a time, or not. */
  readonly streams: 'live' | 'nap' | 'off'
  /** No stream lives longer. */
  readonly streamMaxSeconds: number
  /** Whether a session whose record was lost goes on. */
  readonly sessionReadopt: boolean
  /** What schedulers show at `/api/cron`; absent: nobody gets in. */
  readonly cronSecret: string | undefined
  readonly conformance: boolean
  /** No wake-ups: everything is found by polling. For tests. */
  readonly pollOnly: boolean
  readonly logLevel: Settings['LOG_LEVEL']
}

/**
 * Reads the configuration.
 *
 * @returns the configuration, or every fault in words: the variable's name and what to do, never a value
 */
export function parseEnv(env: Environment): Result<Config, readonly string[]> {
  const given = withoutEmpty(env)
  const faults: string[] = []
  const faulty = new Set<string>()
  const first = settingsSchema.safeParse(given)
  for (const issue of first.error?.issues ?? []) {
    const name = String(issue.path[0])
    faults.push(`${name} ${issue.message}`)
    faulty.add(name)
  }

  // What is right by itself is still checked together, so that one start shows every fault.
  const right = Object.fromEntries(Object.entries(given).filter(([name]) => !faulty.has(name)))
  const settings = first.data ?? settingsSchema.parse(right)
  const scene: Scene = {
    settings,
    platform: detectPlatform(given),
    missing: (name) => settings[name] === undefined && !faulty.has(name),
  }
  const store = chooseStore(scene)
  const publicUrl = choosePublicUrl(scene, store?.kind)
  faults.push(...faultsTogether(scene, { store, publicUrl }))

  if (faults.length > 0 || !store || publicUrl === undefined) return err(faults)
  return ok(configOf(scene, store, publicUrl))
}

interface Scene {
  readonly settings: Settings
  readonly platform: Platform
  /** Absent, rather than given with a fault that was told already. */
  readonly missing: (name: keyof Settings) => boolean
}

interface Chosen {
  readonly store: StoreConfig | undefined
  readonly publicUrl: string | undefined
}

function withoutEmpty(env: Environment): Record<string, string> {
  const trimmed = Object.entries(env).map(([name, value]) => [name, value?.trim() ?? ''] as const)
  return Object.fromEntries(trimmed.filter(([, value]) => value !== ''))
}

/** Upstash, else Redis, else the local folder; `undefined` where half of one is given or wrong. */
function chooseStore({ settings, missing }: Scene): StoreConfig | undefined {
  for (const [urlName, tokenName] of upstashNames) {
    if (missing(urlName) && missing(tokenName)) continue
    const url = settings[urlName]
    const token = settings[tokenName]
    return url === undefined || token === undefined ? undefined : { kind: 'upstash', url, token }
  }
  if (!missing('REDIS_URL')) {
    return settings.REDIS_URL === undefined ? undefined : { kind: 'tcp', url: settings.REDIS_URL }
  }
  return { kind: 'local', directory: settings.DATA_DIR ?? '.data' }
}

const upstashNames = [
  ['UPSTASH_REDIS_REST_URL', 'UPSTASH_REDIS_REST_TOKEN'],
  ['KV_REST_API_URL', 'KV_REST_API_TOKEN'],
] as const

function choosePublicUrl(
  { settings, platform, missing }: Scene,
  store: StoreConfig['kind'] | undefined,
): string | undefined {
  const given = settings.PUBLIC_URL
  // Vercel gives previews the variables of production unless told otherwise; its address is not theirs.
  const borrowed = platform.preview && given === platform.productionOrigin
  if (given !== undefined && !borrowed) return given
  if (!missing('PUBLIC_URL') && !borrowed) return undefined
  if (platform.origin !== undefined) return platform.origin
  return store === 'local' && !platform.serverless ? `http://localhost:${settings.PORT}` : undefined
}

function faultsTogether(scene: Scene, chosen: Chosen): readonly string[] {
  const { settings, platform, missing } = scene
  const local = chosen.store?.kind === 'local'
  const open = chosen.publicUrl !== undefined && !isLoopbackOrigin(chosen.publicUrl)
  const checks: readonly (readonly [boolean, string])[] = [
    ...upstashNames.flatMap(([url, token]): (readonly [boolean, string])[] => [
      [missing(url) && !missing(token), `${url} is missing; ${token} is set and needs it`],
      [missing(token) && !missing(url), `${token} is missing; ${url} is set and needs it`],
    ]),
    [
      local && platform.serverless,
      'UPSTASH_REDIS_REST_URL is missing; nothing written to disk here outlives the instance, so add an ' +
        'Upstash database (with UPSTASH_REDIS_REST_TOKEN) or set REDIS_URL',
    ],
    [
      local && !platform.serverless && open && missing('DATA_DIR'),
      'DATA_DIR is missing; a public server keeps its data in a folder that you choose and back up, or set ' +
        'UPSTASH_REDIS_REST_URL or REDIS_URL',
    ],
    [!local && missing('AUTH_SECRET'), 'AUTH_SECRET is missing; make one with: openssl rand -base64 32'],
    [
      chosen.publicUrl === undefined && missing('PUBLIC_URL'),
      'PUBLIC_URL is missing; set the origin that people reach this server at, such as https://gatehouse.example',
    ],
    [
      // A preview has the variables of production and an address of its own.
      settings.PASSKEY_RP_ID !== undefined &&
        !platform.preview &&
        chosen.publicUrl !== undefined &&
        relyingPartyId(chosen.publicUrl, settings.PASSKEY_RP_ID) === undefined,
      'PASSKEY_RP_ID must be the host name of PUBLIC_URL or a domain above it, such as example.com for ' +
        'https://gatehouse.example.com; leave it out to use the host name',
    ],
    [
      platform.serverless && settings.STREAM_MAX_SECONDS > FUNCTION_MAX_SECONDS - STREAM_MARGIN_SECONDS,
      `STREAM_MAX_SECONDS must be at most ${FUNCTION_MAX_SECONDS - STREAM_MARGIN_SECONDS} here; the platform ` +
        `cuts a function after ${FUNCTION_MAX_SECONDS} seconds`,
    ],
    [
      settings.GATEHOUSE_POLL_ONLY && open,
      'GATEHOUSE_POLL_ONLY is for tests and is refused with a public PUBLIC_URL; leave it out',
    ],
    [
      settings.GATEHOUSE_CONFORMANCE && open,
      'GATEHOUSE_CONFORMANCE opens test tools and is refused with a public PUBLIC_URL; leave it out',
    ],
  ]
  return checks.filter(([applies]) => applies).map(([, fault]) => fault)
}

function configOf({ settings, platform }: Scene, store: StoreConfig, publicUrl: string): Config {
  const { preview } = platform
  const most = (seconds: number, onPreview: number) => (preview ? Math.min(seconds, onPreview) : seconds)
  const refreshMaxSeconds = most(settings.REFRESH_MAX_SECONDS, PREVIEW_REFRESH_MAX_SECONDS)
  const refreshIdleSeconds = most(settings.REFRESH_IDLE_SECONDS, PREVIEW_REFRESH_IDLE_SECONDS)
  const { KEY_PREFIX: prefix } = settings
  return {
    publicUrl,
    loopback: isLoopbackOrigin(publicUrl),
    port: settings.PORT,
    platform: platform.kind,
    serverless: platform.serverless,
    preview,
    keyPrefix: platform.suffix === undefined ? prefix : `${prefix}-${platform.suffix}`,
    authSecret: settings.AUTH_SECRET,
    oldAuthSecrets: settings.AUTH_SECRETS_OLD,
    store,
    recordTtlMs: preview ? PREVIEW_RECORD_MS : undefined,
    ownerSetupCode: settings.OWNER_SETUP_CODE,
    allowedOrigins: settings.ALLOWED_ORIGINS,
    allowedHosts: settings.ALLOWED_HOSTS,
    trustProxy: settings.TRUST_PROXY ?? (platform.kind === 'vercel' ? 'vercel' : 'none'),
    strictRedirects: settings.STRICT_REDIRECTS,
    cimdAllow: settings.CIMD_ALLOW,
    cimdBlock: settings.CIMD_BLOCK,
    consentMemory: settings.CONSENT_MEMORY,
    passkeyRpId: relyingPartyId(publicUrl, settings.PASSKEY_RP_ID) ?? relyingPartyId(publicUrl, undefined),
    accessTokenSeconds: settings.ACCESS_TOKEN_SECONDS,
    codeSeconds: settings.CODE_SECONDS,
    refreshGraceSeconds: settings.REFRESH_GRACE_SECONDS,
    refreshIdleSeconds: Math.min(refreshIdleSeconds, refreshMaxSeconds),
    refreshMaxSeconds,
    rateLimitPerMinute: settings.RATE_LIMIT_PER_MINUTE,
    streams: settings.STREAMS ?? (platform.serverless ? 'nap' : 'live'),
    streamMaxSeconds: settings.STREAM_MAX_SECONDS,
    sessionReadopt: settings.SESSION_READOPT,
    cronSecret: settings.CRON_SECRET,
    conformance: settings.GATEHOUSE_CONFORMANCE,
    pollOnly: settings.GATEHOUSE_POLL_ONLY,
    logLevel: settings.LOG_LEVEL,
  }
}
