// CPU of each part of an authenticated tools/call, in one process: prints one line of JSON, microseconds.
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateKeyPair } from 'jose'
import { connectByFetch } from '#bench/call/connect-by-fetch'
import { callOf, type Era, openSession } from '#bench/call/load'
import { systemClock } from '#lib/core/clock'
import { systemRandom } from '#lib/core/random'
import { signAccessToken, verifyAccessToken } from '#lib/oauth/access-token'
import { type EndpointName, services } from '#lib/services'
import { add, get } from '#lib/store/operations'
import { offer } from '#lib/tools/index'

const CALLS = 3000
const WARM_UP = 500
const ORIGIN = 'http://localhost:3000'

process.env['DATA_DIR'] = mkdtempSync(join(tmpdir(), 'gatehouse-parts-'))
process.env['RATE_LIMIT_PER_MINUTE'] = '1000000'
process.env['LOG_LEVEL'] = 'warn'

const { endpoints, identity, store } = await services()

const paths: Readonly<Record<string, EndpointName>> = {
  '/sign-in/link': 'signInLink',
  '/oauth/register': 'register',
  '/oauth/authorize': 'authorize',
  '/oauth/consent': 'consent',
  '/oauth/token': 'token',
}

/** The product without a network: the request goes straight to its endpoint. */
async function inProcess(url: string | URL, init?: RequestInit): Promise<Response> {
  const request = new Request(url, init)
  return endpoints[paths[new URL(request.url).pathname] ?? 'notFound'](request)
}

/** Mean CPU of one run, in microseconds. */
async function cpuOf(run: () => Promise<unknown>): Promise<number> {
  for (let call = 0; call < WARM_UP; call++) await run()
  const before = process.cpuUsage()
  for (let call = 0; call < CALLS; call++) await run()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / CALLS
}

const token = await connectByFetch(ORIGIN, await identity.mintSignInLink({}), inProcess)

const session = await openSession({ url: `${ORIGIN}/api/mcp`, token, pid: process.pid }, (url, init) =>
  endpoints.mcp(new Request(url, init)),
)

function call(era: Era, authorization: Readonly<Record<string, string>>): Promise<Response> {
  const { headers, body } = callOf(era, 'list_notes', {})
  const held = era === '2025-11-25' ? session : {}
  const sent = { ...headers, ...held, ...authorization, host: 'localhost:3000' }
  return endpoints.mcp(new Request(`${ORIGIN}/api/mcp`, { method: 'POST', headers: sent, body }))
}

async function answered(era: Era): Promise<void> {
  const response = await call(era, { authorization: `Bearer ${token}` })
  const text = await response.text()
  if (response.status !== 200 || !text.includes('structuredContent'))
    throw new Error(`${response.status} ${text}`)
}

const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true })
const parties = { issuer: ORIGIN, resource: `${ORIGIN}/api/mcp` }
const now = systemClock()
const signed = await signAccessToken(
  {
    accountId: 'a',
    epoch: 0,
    clientId: 'c',
    clientKeyHash: 'h',
    clientEpoch: 0,
    grantId: 'g',
    generation: 1,
    scopes: ['notes:read'],
    issuedAt: Math.floor(now / 1000),
    expiresAt: Math.floor(now / 1000) + 3600,
    tokenId: 't',
  },
  { ...parties, signer: { kid: 'k', alg: 'ES256', key: privateKey } },
)

const listNotes = offer.tools.find(({ name }) => name === 'list_notes')
const context = {
  caller: { accountId: 'nobody', client: { key: 'k', name: 'n', verified: false }, scopes: ['notes:read'] },
  store: store.store,
  clock: systemClock,
  random: systemRandom,
  signal: new AbortController().signal,
  progress: async () => undefined,
  ask: () => ({ state: 'unavailable' as const }),
}

const parts = {
  'Edge checks, challenge, log (a call without a token)': await cpuOf(() => call('2026-07-28', {})),
  'Signature of a token seen for the first time (ES256)': await cpuOf(() =>
    verifyAccessToken(signed, { ...parties, verifier: { alg: 'ES256', key: publicKey }, now }),
  ),
  'Store request of the admission (local store)': await cpuOf(() =>
    store.store.batch(
      get('g:x', { fresh: true }),
      get('a:x', { fresh: true }),
      add('rl:x', { calls: 1 }, 60_000),
    ),
  ),
  'Store request of the admission with a session (local store)': await cpuOf(() =>
    store.store.batch(
      get('g:x', { fresh: true }),
      get('a:x', { fresh: true }),
      add('rl:x', { calls: 1 }, 60_000),
      get('me:x', { fresh: true }),
      get('ms:x', { touchMs: 60_000 }),
      get('mp:x', { fresh: true }),
    ),
  ),
  'The tool itself (list_notes, one store request)': await cpuOf(async () =>
    listNotes?.run({ limit: 20 }, context),
  ),
  'Whole call, 2026-07-28': await cpuOf(() => answered('2026-07-28')),
  'Whole call, 2025-11-25': await cpuOf(() => answered('2025-11-25')),
}
console.log(JSON.stringify(parts))
process.exit(0)
