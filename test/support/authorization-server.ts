import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemPause } from '#lib/core/clock'
import { createKeyRing } from '#lib/core/key-ring'
import { systemRandom } from '#lib/core/random'
import { err, ok } from '#lib/core/result'
import type { SignedIn } from '#lib/core/signed-in'
import { createLocalStore } from '#lib/node/local-store'
import type { OAuth, OAuthDeps, OAuthSettings } from '#lib/oauth/endpoints/deps'
import { createOAuth } from '#lib/oauth/endpoints/oauth'
import type { FetchDocument } from '#lib/oauth/fetch-document'
import type { AuditEvent } from '#lib/observability/audit'
import type { StoreRequest } from '#lib/store/connect'
import { keys } from '#lib/store/keys'
import { get } from '#lib/store/operations'
import type { Store } from '#lib/store/port'

export const ISSUER = 'https://gate.example'
export const RESOURCE = `${ISSUER}/api/mcp`
export const CALLBACK = 'https://app.example/callback'
export const VERIFIER = 'verifier-verifier-verifier-verifier-verifier'
export const CHALLENGE = createHash('sha256').update(VERIFIER).digest('base64url')

/** Every pause of the server is this long. */
const PAUSE_MS = 5

export const ada: SignedIn = {
  accountId: 'ada',
  epoch: 1,
  name: 'Ada',
  role: 'owner',
  sessionHash: 'session-of-ada',
}
export const bob: SignedIn = {
  accountId: 'bob',
  epoch: 1,
  name: 'Bob',
  role: 'member',
  sessionHash: 'session-of-bob',
}

export const scopes = [
  { name: 'notes:read', sentence: 'Read your notes', base: true, includes: [] },
  { name: 'notes:write', sentence: 'Change your notes', base: true, includes: ['notes:read'] },
  { name: 'notes:purge', sentence: 'Empty your notebook', base: false, includes: [] },
]

interface Options {
  readonly settings?: Partial<OAuthSettings>
  /** Stands between the server and its store. */
  readonly wrap?: (store: Store) => Store
  readonly secrets?: readonly string[]
  /** The internet, as far as documents of clients go; without it no host answers. */
  readonly fetchDocument?: FetchDocument
}

const unreachable: FetchDocument = async () => err('unreachable')

/** The authorization server in process over a real local store, with a clock that can be moved. */
export async function startAuthorizationServer({
  settings,
  wrap = (store) => store,
  secrets,
  fetchDocument = unreachable,
}: Options = {}) {
  const directory = await mkdtemp(join(tmpdir(), 'gatehouse-oauth-'))
  let now = Date.UTC(2026, 10, 22, 12)
  const clock = () => now
  const requests: StoreRequest[] = []
  const store = await createLocalStore({
    directory,
    prefix: 'test',
    clock,
    observe: (request) => requests.push(request),
  })
  const audited: AuditEvent[] = []
  const deps: OAuthDeps = {
    issuer: ISSUER,
    resource: RESOURCE,
    serverName: 'Notebook',
    version: '0.1.0',
    scopes,
    keyRing: createKeyRing(secrets ?? ['a secret of at least thirty-two bytes, first'], 'test'),
    store: wrap(store),
    clock,
    pause: () => systemPause(PAUSE_MS),
    afterAnswer: () => undefined,
    random: systemRandom,
    log: () => undefined,
    audit: async (event) => {
      audited.push(event)
    },
    settings: {
      accessTokenSeconds: 3600,
      codeSeconds: 60,
      refreshGraceSeconds: 60,
      refreshIdleSeconds: 30 * 86_400,
      refreshMaxSeconds: 90 * 86_400,
      strictRedirects: false,
      cimdAllow: [],
      cimdBlock: [],
      consentMemory: false,
      ...settings,
    },
    fetchDocument,
    currentUser: async (request) =>
      [ada, bob].find((user) => user.sessionHash === request.headers.get('x-session')),
    // No record: the account stands. `ended`: it does not.
    accountCheck: (accountId) => ({
      operation: get(keys.account(accountId), { fresh: true }),
      decide: (text) => (text === 'ended' ? err('account_ended') : ok({ name: accountId })),
    }),
    signOutFields: async () => ({ csrf: 'of the sign-out form' }),
  }
  const oauth = createOAuth(deps)
  let sent = 0
  const exchange = () => ({ requestId: `request-${sent++}` })

  type Called = 'register' | 'authorize' | 'consent' | 'token' | 'revoke'
  const call = (name: Called, path: string, init?: RequestInit) =>
    oauth[name](new Request(ISSUER + path, init), exchange())

  return {
    oauth,
    deps,
    store,
    audited,
    requests,
    exchange,
    call,
    /** Another instance over the same store. */
    another: (): OAuth => createOAuth(deps),
    pass: (seconds: number) => {
      now += seconds * 1000
    },
    now: clock,
    close: async () => {
      await store.close()
      await rm(directory, { recursive: true })
    },

    async register(metadata: Readonly<Record<string, unknown>> = {}) {
      const response = await call('register', '/oauth/register', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ ...publicClient, ...metadata }),
      })
      return (await response.json()) as { client_id: string; client_secret: string }
    },

    authorize: (query: Readonly<Record<string, string>> | string, user?: SignedIn) =>
      call('authorize', `/oauth/authorize?${new URLSearchParams(query)}`, {
        headers: user ? { 'x-session': user.sessionHash } : {},
      }),

    /** Opens the consent page of an authorization request and gives what stands in its form. */
    async consentForm(query: Readonly<Record<string, string>>, user: SignedIn = ada) {
      const sentOn = await this.authorize(query, user)
      const location = sentOn.headers.get('location') ?? ''
      const page = await call('consent', location, { headers: { 'x-session': user.sessionHash } })
      const markup = await page.text()
      const field = (name: string) => new RegExp(`name="${name}" value="([^"]*)"`).exec(markup)?.[1] ?? ''
      return { location, markup, tx: field('tx'), csrf: field('csrf') }
    },

    decide: (
      form: string | Readonly<Record<string, string>> | string[][],
      {
        user = ada,
        headers = {},
      }: { user?: SignedIn | null; headers?: Readonly<Record<string, string>> } = {},
    ) =>
      call('consent', '/oauth/consent', {
        method: 'POST',
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          origin: ISSUER,
          ...(user ? { 'x-session': user.sessionHash } : {}),
          ...headers,
        },
        body: new URLSearchParams(form).toString(),
      }),

    token: (
      form: Readonly<Record<string, string>> | string,
      headers: Readonly<Record<string, string>> = {},
    ) =>
      call('token', '/oauth/token', {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
        body: new URLSearchParams(form).toString(),
      }),

    /** From the request to the code, with the person saying yes. */
    async code(clientId: string, query: Readonly<Record<string, string>> = {}) {
      const { tx, csrf } = await this.consentForm({ ...request(clientId), ...query })
      const answer = await this.decide({ tx, csrf, decision: 'allow' })
      return new URL(answer.headers.get('location') ?? '').searchParams.get('code') ?? ''
    },

    revoke: (
      form: Readonly<Record<string, string>> | string,
      headers: Readonly<Record<string, string>> = {},
    ) =>
      call('revoke', '/oauth/revoke', {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
        body: new URLSearchParams(form).toString(),
      }),

    redeem(clientId: string, code: string, more: Readonly<Record<string, string>> = {}) {
      return this.token({
        grant_type: 'authorization_code',
        client_id: clientId,
        code,
        code_verifier: VERIFIER,
        ...more,
      })
    },

    refresh(clientId: string, token: string, more: Readonly<Record<string, string>> = {}) {
      return this.token({ grant_type: 'refresh_token', client_id: clientId, refresh_token: token, ...more })
    },

    /** A client with a connection. */
    async connect(query: Readonly<Record<string, string>> = {}) {
      const { client_id: clientId } = await this.register()
      const response = await this.redeem(clientId, await this.code(clientId, query))
      return { clientId, tokens: (await response.json()) as Tokens }
    },

    /** What a call with an access token is told, as the composition root asks it. */
    async admit(accessToken: string, instance: OAuth = oauth) {
      const bearer = new Request(RESOURCE, { headers: { authorization: `Bearer ${accessToken}` } })
      const claims = await instance.readBearer(bearer)
      if (!claims.ok) return claims
      const check = instance.grantCheck(claims.value)
      const standing = instance.standingCheck(claims.value)
      const [text, ...others] = await store.batch(check.operation, ...standing.operations)
      const grant = check.decide(text)
      if (!(await standing.decide(others))) return err('token_ended')
      if (grant.ok) await instance.noteUse(claims.value, grant.value)
      return grant
    },
  }
}

export interface Tokens {
  readonly access_token: string
  readonly token_type: string
  readonly expires_in: number
  readonly scope: string
  readonly refresh_token: string
}

export type AuthorizationServer = Awaited<ReturnType<typeof startAuthorizationServer>>

export const publicClient = {
  client_name: 'App',
  redirect_uris: [CALLBACK],
  grant_types: ['authorization_code', 'refresh_token'],
  token_endpoint_auth_method: 'none',
}

/** A good authorization request. */
export const request = (clientId: string) => ({
  response_type: 'code',
  client_id: clientId,
  redirect_uri: CALLBACK,
  code_challenge: CHALLENGE,
  code_challenge_method: 'S256',
  state: 'a state',
})
