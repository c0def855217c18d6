import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { type Config, parseEnv } from '#lib/config/env'
import { FUNCTION_MAX_SECONDS } from '#lib/config/limits'
import { settingsSchema } from '#lib/config/schema'
import { variables } from '#lib/config/variables'

const SECRET = '3q2yX0mVb7hQe9KfTzR4uLwPjN8sYcA1dGi5oZkB6xM='
const upstash = { UPSTASH_REDIS_REST_URL: 'https://eu1.upstash.example', UPSTASH_REDIS_REST_TOKEN: 'tok' }
const production = { ...upstash, AUTH_SECRET: SECRET, PUBLIC_URL: 'https://gatehouse.example' }
const vercel = { ...upstash, AUTH_SECRET: SECRET, VERCEL: '1' }

function configOf(env: Record<string, string>): Config {
  const parsed = parseEnv(env)
  if (!parsed.ok) throw new Error(parsed.error.join('\n'))
  return parsed.value
}

function faultsOf(env: Record<string, string>): readonly string[] {
  const parsed = parseEnv(env)
  return parsed.ok ? [] : parsed.error
}

describe('a laptop with nothing set', () => {
  it('gets the local store, loopback and no secret of its own', () => {
    const config = configOf({})
    expect(config).toMatchObject({
      publicUrl: 'http://localhost:3000',
      loopback: true,
      port: 3000,
      platform: 'server',
      serverless: false,
      preview: false,
      keyPrefix: 'gatehouse',
      store: { kind: 'local', directory: '.data' },
      accessTokenSeconds: 3600,
      refreshIdleSeconds: 2_592_000,
      refreshMaxSeconds: 7_776_000,
      rateLimitPerMinute: 1200,
      streams: 'live',
      streamMaxSeconds: 240,
      sessionReadopt: true,
      cronSecret: undefined,
      pollOnly: false,
      conformance: false,
      strictRedirects: false,
      consentMemory: false,
      passkeyRpId: 'localhost',
      trustProxy: 'none',
      logLevel: 'info',
    })
    expect(config.authSecret).toBeUndefined()
    expect(config.recordTtlMs).toBeUndefined()
  })

  it('follows PORT', () => {
    expect(configOf({ PORT: '4123' }).publicUrl).toBe('http://localhost:4123')
  })

  it('reads a variable that is empty as absent and drops a newline at the end', () => {
    expect(configOf({ PUBLIC_URL: '', AUTH_SECRET: `${SECRET}\n` })).toMatchObject({
      publicUrl: 'http://localhost:3000',
      authSecret: SECRET,
    })
  })
})

describe('the store', () => {
  it.each([
    {
      what: 'Upstash before Redis',
      env: { ...production, REDIS_URL: 'redis://cache:6379' },
      store: { kind: 'upstash', url: 'https://eu1.upstash.example', token: 'tok' },
    },
    {
      what: 'the names that Vercel uses',
      env: {
        AUTH_SECRET: SECRET,
        PUBLIC_URL: 'https://gatehouse.example',
        KV_REST_API_URL: 'https://kv.example',
        KV_REST_API_TOKEN: 'k',
        REDIS_URL: 'rediss://kv.example:6379',
      },
      store: { kind: 'upstash', url: 'https://kv.example', token: 'k' },
    },
    {
      what: 'Redis over TCP',
      env: {
        AUTH_SECRET: SECRET,
        PUBLIC_URL: 'https://gatehouse.example',
        REDIS_URL: 'rediss://:pw@cache:6379/2',
      },
      store: { kind: 'tcp', url: 'rediss://:pw@cache:6379/2' },
    },
    {
      what: 'a chosen folder on a public server',
      env: { PUBLIC_URL: 'https://gatehouse.example', DATA_DIR: '/var/lib/gatehouse' },
      store: { kind: 'local', directory: '/var/lib/gatehouse' },
    },
  ])('is $what', ({ env, store }) => {
    expect(configOf(env).store).toEqual(store)
  })
})

describe('Vercel', () => {
  it('takes the production address and trusts its proxy', () => {
    const env = { ...vercel, VERCEL_ENV: 'production', VERCEL_PROJECT_PRODUCTION_URL: 'gate.vercel.app' }
    expect(configOf(env)).toMatchObject({
      publicUrl: 'https://gate.vercel.app',
      platform: 'vercel',
      serverless: true,
      preview: false,
      keyPrefix: 'gatehouse',
      trustProxy: 'vercel',
      refreshMaxSeconds: 7_776_000,
    })
  })

  const preview = {
    ...vercel,
    VERCEL_ENV: 'preview',
    VERCEL_PROJECT_PRODUCTION_URL: 'gate.vercel.app',
    VERCEL_BRANCH_URL: 'gate-git-feat-x.vercel.app',
    VERCEL_URL: 'gate-abc123.vercel.app',
    VERCEL_GIT_COMMIT_REF: 'feat/x',
  }

  it('gives a preview its own address, keys and short lifetimes', () => {
    expect(configOf(preview)).toMatchObject({
      publicUrl: 'https://gate-git-feat-x.vercel.app',
      preview: true,
      keyPrefix: 'gatehouse-preview-feat~2Fx',
      refreshIdleSeconds: 86_400,
      refreshMaxSeconds: 604_800,
      recordTtlMs: 604_800_000,
    })
  })

  it.each([
    { what: 'a prefix meant for production', env: { KEY_PREFIX: 'prod' }, prefix: 'prod-preview-feat~2Fx' },
    {
      what: 'a custom environment',
      env: { VERCEL_TARGET_ENV: 'staging' },
      prefix: 'gatehouse-staging-feat~2Fx',
    },
    { what: 'another branch', env: { VERCEL_GIT_COMMIT_REF: 'feat-x' }, prefix: 'gatehouse-preview-feat-x' },
    {
      what: 'a deployment without a branch',
      env: { VERCEL_GIT_COMMIT_REF: '' },
      prefix: 'gatehouse-preview-gate-abc123.vercel.app',
    },
  ])('separates the keys of a preview with $what', ({ env, prefix }) => {
    expect(configOf({ ...preview, ...env }).keyPrefix).toBe(prefix)
  })

  it('does not let a preview borrow the address of production', () => {
    const borrowed = configOf({ ...preview, PUBLIC_URL: 'https://gate.vercel.app' })
    expect(borrowed.publicUrl).toBe('https://gate-git-feat-x.vercel.app')
    const own = configOf({ ...preview, PUBLIC_URL: 'https://preview.gate.example' })
    expect(own.publicUrl).toBe('https://preview.gate.example')
  })

  it('never gives a preview the lifetimes that are set for production', () => {
    const env = { ...preview, REFRESH_IDLE_SECONDS: '5000000', REFRESH_MAX_SECONDS: '9000000' }
    expect(configOf(env)).toMatchObject({ refreshIdleSeconds: 86_400, refreshMaxSeconds: 604_800 })
  })

  it('is somebody’s machine where its development environment was pulled', () => {
    expect(configOf({ VERCEL: '1', VERCEL_ENV: 'development', VERCEL_URL: '' })).toMatchObject({
      platform: 'server',
      store: { kind: 'local' },
    })
  })
})

describe('a configuration that is wrong', () => {
  const localPublic = { PUBLIC_URL: 'https://gatehouse.example' }

  it.each([
    { what: 'a public server on the default folder', env: localPublic, fault: /^DATA_DIR is missing/ },
    {
      what: 'Redis without a secret',
      env: { ...production, AUTH_SECRET: '' },
      fault: /^AUTH_SECRET is missing/,
    },
    {
      what: 'Redis without an address',
      env: { ...production, PUBLIC_URL: '' },
      fault: /^PUBLIC_URL is missing/,
    },
    {
      what: 'a local store on Vercel',
      env: { VERCEL: '1', VERCEL_ENV: 'production', VERCEL_PROJECT_PRODUCTION_URL: 'a.example' },
      fault: /^UPSTASH_REDIS_REST_URL is missing; nothing written/,
    },
    {
      what: 'a local store on Lambda even with a folder',
      env: { AWS_LAMBDA_FUNCTION_NAME: 'f', ...localPublic, DATA_DIR: '/tmp/data' },
      fault: /^UPSTASH_REDIS_REST_URL is missing/,
    },
    {
      what: 'a local store on Cloudflare',
      env: { CF_PAGES: '1', ...localPublic },
      fault: /^UPSTASH_REDIS_REST_URL is missing/,
    },
    {
      what: 'half of Upstash',
      env: { ...production, UPSTASH_REDIS_REST_TOKEN: '' },
      fault: /^UPSTASH_REDIS_REST_TOKEN is missing/,
    },
    {
      what: 'the other half',
      env: { ...production, UPSTASH_REDIS_REST_URL: '' },
      fault: /^UPSTASH_REDIS_REST_URL is missing; UPSTASH_REDIS_REST_TOKEN is set/,
    },
    {
      what: 'Upstash in clear text',
      env: { ...production, UPSTASH_REDIS_REST_URL: 'http://db.example' },
      fault: /^UPSTASH_REDIS_REST_URL must begin with https/,
    },
    {
      what: 'a path',
      env: { ...production, PUBLIC_URL: 'https://a.example/x' },
      fault: /^PUBLIC_URL must be an/,
    },
    {
      what: 'a slash',
      env: { ...production, PUBLIC_URL: 'https://a.example/' },
      fault: /^PUBLIC_URL must be an/,
    },
    {
      what: 'the usual port',
      env: { ...production, PUBLIC_URL: 'https://a.example:443' },
      fault: /^PUBLIC_URL must be an/,
    },
    {
      what: 'a user name',
      env: { ...production, PUBLIC_URL: 'https://me@a.example' },
      fault: /^PUBLIC_URL must be an/,
    },
    {
      what: 'http in public',
      env: { ...production, PUBLIC_URL: 'http://a.example' },
      fault: /^PUBLIC_URL must begin with https/,
    },
    {
      what: 'a host that only begins like loopback',
      env: { ...production, PUBLIC_URL: 'http://127.0.0.1.a.example' },
      fault: /^PUBLIC_URL must begin with https/,
    },
    { what: 'no URL', env: { ...production, PUBLIC_URL: 'a.example' }, fault: /^PUBLIC_URL is not a URL/ },
    {
      what: 'a typed secret',
      env: { ...production, AUTH_SECRET: 'hunter2' },
      fault: /^AUTH_SECRET is shorter/,
    },
    {
      what: 'a weak old secret',
      env: { ...production, AUTH_SECRETS_OLD: `${SECRET},short` },
      fault: /^AUTH_SECRETS_OLD entry 2 is shorter/,
    },
    {
      what: 'a short setup code',
      env: { OWNER_SETUP_CODE: 'fifteen-letters' },
      fault: /^OWNER_SETUP_CODE must/,
    },
    {
      what: 'a setup code of one letter',
      env: { OWNER_SETUP_CODE: 'a'.repeat(20) },
      fault: /^OWNER_SETUP_CODE repeats/,
    },
    {
      what: 'the fixture in public',
      env: { ...production, GATEHOUSE_CONFORMANCE: '1' },
      fault: /^GATEHOUSE_CONFORMANCE/,
    },
    {
      what: 'a public server without wake-ups',
      env: { ...production, GATEHOUSE_POLL_ONLY: '1' },
      fault: /^GATEHOUSE_POLL_ONLY/,
    },
    {
      what: 'an unknown way to stream',
      env: { STREAMS: 'always' },
      fault: /^STREAMS must be live, nap or off$/,
    },
    {
      what: 'a stream of a moment',
      env: { STREAM_MAX_SECONDS: '0.4' },
      fault: /^STREAM_MAX_SECONDS must be/,
    },
    { what: 'a stream of no time', env: { STREAM_MAX_SECONDS: '1e3' }, fault: /^STREAM_MAX_SECONDS must be/ },
    {
      what: 'a stream that the platform cuts',
      env: {
        ...vercel,
        VERCEL_ENV: 'production',
        VERCEL_PROJECT_PRODUCTION_URL: 'a.example',
        STREAM_MAX_SECONDS: '291',
      },
      fault: /^STREAM_MAX_SECONDS must be at most 290 here/,
    },
    {
      what: 'a short secret of a scheduler',
      env: { CRON_SECRET: 'fifteen-letters' },
      fault: /^CRON_SECRET must/,
    },
    { what: 'a port beyond', env: { PORT: '65536' }, fault: /^PORT must be a whole number from 1 to 65535$/ },
    { what: 'a fraction', env: { CODE_SECONDS: '1.5' }, fault: /^CODE_SECONDS must be a whole number/ },
    { what: 'a long code', env: { CODE_SECONDS: '601' }, fault: /^CODE_SECONDS must be a whole number/ },
    { what: 'a rate of none', env: { RATE_LIMIT_PER_MINUTE: '0' }, fault: /^RATE_LIMIT_PER_MINUTE/ },
    { what: 'an unknown level', env: { LOG_LEVEL: 'loud' }, fault: /^LOG_LEVEL must be debug/ },
    { what: 'an unknown proxy', env: { TRUST_PROXY: 'all' }, fault: /^TRUST_PROXY must be none/ },
    { what: 'no hops', env: { TRUST_PROXY: 'hops:0' }, fault: /^TRUST_PROXY must be none/ },
    {
      what: 'an undecided flag',
      env: { STRICT_REDIRECTS: 'maybe' },
      fault: /^STRICT_REDIRECTS must be true/,
    },
    {
      what: 'any origin',
      env: { ALLOWED_ORIGINS: '*' },
      fault: /^ALLOWED_ORIGINS entry 1 must be an origin/,
    },
    {
      what: 'an origin with a path',
      env: { ALLOWED_ORIGINS: 'https://a.example, https://b.example/' },
      fault: /^ALLOWED_ORIGINS entry 2 must be an origin/,
    },
    {
      what: 'a host with a scheme',
      env: { ALLOWED_HOSTS: 'https://a.example' },
      fault: /^ALLOWED_HOSTS entry 1/,
    },
    {
      what: 'an address as a host of apps',
      env: { CIMD_ALLOW: 'claude.ai, https://a.example' },
      fault: /^CIMD_ALLOW entry 2 must be a host name/,
    },
    { what: 'a star in a host', env: { CIMD_BLOCK: 'a.*.example' }, fault: /^CIMD_BLOCK entry 1/ },
    {
      what: 'a Redis address of another kind',
      env: { REDIS_URL: 'cache:6379' },
      fault: /^REDIS_URL must be/,
    },
    { what: 'a prefix with a colon', env: { KEY_PREFIX: 'a:b' }, fault: /^KEY_PREFIX must be/ },
  ])('is refused: $what', ({ env, fault }) => {
    expect(faultsOf(env)).toContainEqual(expect.stringMatching(fault))
  })

  it('is told whole: faults of single variables and of their combination at once', () => {
    const faults = faultsOf({
      ...localPublic,
      AUTH_SECRET: 'short',
      PORT: 'http',
      REDIS_URL: '',
      LOG_LEVEL: 'loud',
      UPSTASH_REDIS_REST_TOKEN: 'tok',
    })
    expect(faults.map((fault) => fault.split(' ')[0]).sort()).toEqual([
      'AUTH_SECRET',
      'LOG_LEVEL',
      'PORT',
      'UPSTASH_REDIS_REST_URL',
    ])
  })

  it('is told once a variable: what is given wrong is not also called missing', () => {
    const faults = faultsOf({ ...production, AUTH_SECRET: 'short', PUBLIC_URL: 'nowhere' })
    expect(faults).toHaveLength(2)
  })

  it('never repeats a value', () => {
    const canary = 'c4n4ry'
    const names = variables.map(({ name }) => name).filter((name) => name !== 'DATA_DIR')
    const faults = faultsOf(Object.fromEntries(names.map((name) => [name, `${canary} ${canary}`])))
    expect(faults.length).toBeGreaterThan(15)
    expect(faults.join('\n')).not.toContain(canary)
  })
})

describe('edges', () => {
  it('reads lists and switches', () => {
    const config = configOf({
      ALLOWED_ORIGINS: 'https://a.example, chrome-extension://abcdef',
      ALLOWED_HOSTS: 'a.example:8443,[::1]:3000',
      TRUST_PROXY: 'hops:2',
      STRICT_REDIRECTS: 'TRUE',
      CIMD_ALLOW: 'claude.ai *.app.example',
      CIMD_BLOCK: '*',
      CONSENT_MEMORY: 'true',
      GATEHOUSE_CONFORMANCE: '1',
      GATEHOUSE_POLL_ONLY: '1',
      STREAMS: 'off',
      STREAM_MAX_SECONDS: '0.9',
      SESSION_READOPT: 'false',
      CRON_SECRET: 'sixteen-letters.',
    })
    expect(config).toMatchObject({
      allowedOrigins: ['https://a.example', 'chrome-extension://abcdef'],
      allowedHosts: ['a.example:8443', '[::1]:3000'],
      trustProxy: 'hops:2',
      strictRedirects: true,
      cimdAllow: ['claude.ai', '*.app.example'],
      cimdBlock: ['*'],
      consentMemory: true,
      conformance: true,
      pollOnly: true,
      streams: 'off',
      streamMaxSeconds: 0.9,
      sessionReadopt: false,
      cronSecret: 'sixteen-letters.',
    })
  })

  it('lets streams nap where instances come and go, unless told otherwise, and end before the platform', () => {
    const lambda = { ...production, AWS_LAMBDA_FUNCTION_NAME: 'gatehouse' }
    expect(configOf(lambda).streams).toBe('nap')
    expect(configOf({ ...lambda, STREAMS: 'live', STREAM_MAX_SECONDS: '290' })).toMatchObject({
      streams: 'live',
      streamMaxSeconds: 290,
    })
    const { functions } = JSON.parse(readFileSync('vercel.json', 'utf8'))
    expect(functions['app/api/mcp/route.ts'].maxDuration).toBe(FUNCTION_MAX_SECONDS)
  })

  it('never lets the idle life of a connection exceed its whole life', () => {
    expect(configOf({ REFRESH_MAX_SECONDS: '600' })).toMatchObject({
      refreshIdleSeconds: 600,
      refreshMaxSeconds: 600,
    })
  })

  it.each([
    'http://localhost:8080',
    'http://127.0.0.1:3000',
    'http://[::1]:3000',
    'http://app.localhost:3000',
  ])('serves this machine at %s without a chosen folder', (PUBLIC_URL) => {
    expect(configOf({ PUBLIC_URL })).toMatchObject({ publicUrl: PUBLIC_URL, loopback: true })
  })
})

describe('the table of variables', () => {
  it('names exactly the variables that are read', () => {
    const aliases = ['KV_REST_API_URL', 'KV_REST_API_TOKEN']
    const read = Object.keys(settingsSchema.shape).filter((name) => !aliases.includes(name))
    expect(variables.map(({ name }) => name).sort()).toEqual(read.sort())
  })

  it.each(variables.filter(({ default: value }) => /^`\d+`/.test(value)))(
    'states the default of $name',
    (row) => {
      const defaults = settingsSchema.parse({}) as Record<string, unknown>
      expect(row.default).toMatch(new RegExp(`^\`${defaults[row.name]}\``))
    },
  )
})

describe('the relying party of passkeys', () => {
  const at = (PUBLIC_URL: string, given: Record<string, string> = {}) => ({
    ...production,
    PUBLIC_URL,
    ...given,
  })

  it.each([
    { env: at('https://gate.example.com'), rpId: 'gate.example.com' },
    { env: at('https://gate.example.com:8443'), rpId: 'gate.example.com' },
    { env: at('https://gate.example.com', { PASSKEY_RP_ID: 'example.com' }), rpId: 'example.com' },
    { env: at('https://gate.example.com', { PASSKEY_RP_ID: 'gate.example.com' }), rpId: 'gate.example.com' },
    { env: at('http://127.0.0.1:3000'), rpId: undefined },
    { env: at('https://192.0.2.7'), rpId: undefined },
    { env: at('https://[2001:db8::1]'), rpId: undefined },
    { env: {}, rpId: 'localhost' },
  ])('is $rpId for $env.PUBLIC_URL and PASSKEY_RP_ID $env.PASSKEY_RP_ID', ({ env, rpId }) => {
    expect(configOf(env as Record<string, string>).passkeyRpId).toBe(rpId)
  })

  it.each(['other.example', 'ample.com', 'com', 'sub.gate.example.com', 'gate.example.com.evil.example'])(
    'is not %s, which is no domain above the address',
    (PASSKEY_RP_ID) => {
      expect(faultsOf(at('https://gate.example.com', { PASSKEY_RP_ID }))).toEqual([
        expect.stringContaining('PASSKEY_RP_ID must be the host name of PUBLIC_URL or a domain above it'),
      ])
    },
  )

  it.each([
    'https://example.com',
    'example.com/',
    'Example.com',
    'example.com:443',
    '192.0.2.7',
    '*.example.com',
  ])('is not written %s', (PASSKEY_RP_ID) => {
    expect(faultsOf(at('https://gate.example.com', { PASSKEY_RP_ID }))).toEqual([
      expect.stringContaining('PASSKEY_RP_ID must be a host name'),
    ])
  })

  it('of a preview is its own, whatever production has', () => {
    const preview = {
      ...vercel,
      VERCEL_ENV: 'preview',
      VERCEL_URL: 'gate-abc.vercel.app',
      PASSKEY_RP_ID: 'example.com',
    }
    expect(configOf(preview).passkeyRpId).toBe('gate-abc.vercel.app')
  })
})
