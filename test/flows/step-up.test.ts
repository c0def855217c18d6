import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ada, bob, CALLBACK, publicClient, request } from '#test/support/authorization-server'
import { type Gate, startGate } from '#test/support/gate'

let gate: Gate
beforeEach(async () => {
  gate = await startGate()
})
afterEach(() => gate.server.close())

/** What a host keeps, with the page it would open. */
function newProvider(name = 'Host') {
  const kept: Record<string, unknown> = {}
  let opened: URL | undefined
  return {
    redirectUrl: CALLBACK,
    clientMetadata: { ...publicClient, client_name: name, redirect_uris: [CALLBACK] },
    clientInformation: () => kept['client'] as { client_id: string } | undefined,
    saveClientInformation: (client: unknown) => {
      kept['client'] = client
    },
    tokens: () => kept['tokens'] as { access_token: string; token_type: string; scope?: string } | undefined,
    saveTokens: (tokens: unknown) => {
      kept['tokens'] = tokens
    },
    discoveryState: () => kept['discovery'] as undefined,
    saveDiscoveryState: (state: unknown) => {
      kept['discovery'] = state
    },
    saveCodeVerifier: (verifier: string) => {
      kept['verifier'] = verifier
    },
    codeVerifier: () => String(kept['verifier']),
    redirectToAuthorization: (url: URL) => {
      opened = url
    },
    forgetTokens: () => {
      delete kept['tokens']
    },
    opened: () => {
      if (!opened) throw new Error('no page was opened')
      return opened
    },
  }
}
type Provider = ReturnType<typeof newProvider>

const transportV2 = (provider: Provider) =>
  new StreamableHTTPClientTransport(gate.endpoint, { authProvider: provider, fetch: gate.fetch })
const transportV1 = (provider: Provider) =>
  new TransportV1(gate.endpoint, { authProvider: provider as never, fetch: gate.fetch })

async function clientV2(provider: Provider) {
  const mode = { versionNegotiation: { mode: 'auto' as const } }
  const client = new Client({ name: 'host', version: '1.0.0' }, mode)
  await client.connect(transportV2(provider))
  return client
}
async function clientV1(provider: Provider) {
  const client = new ClientV1({ name: 'host', version: '1.0.0' })
  await client.connect(transportV1(provider) as never)
  return client
}

const eras = [
  {
    sdk: 'v1',
    connect: clientV1,
    finish: (provider: Provider, query: URLSearchParams) =>
      transportV1(provider).finishAuth(query.get('code') ?? ''),
    refreshesAtChallenge: true,
  },
  {
    sdk: 'v2',
    connect: clientV2,
    finish: (provider: Provider, query: URLSearchParams) => transportV2(provider).finishAuth(query),
    refreshesAtChallenge: false,
  },
] as const

/** The person on the consent page that the host opened; `ticked` are the boxes they leave on. */
async function answerPage(provider: Provider, ticked: readonly string[], user = ada) {
  const form = await gate.server.consentForm(Object.fromEntries(provider.opened().searchParams), user)
  const fields = [
    ['tx', form.tx],
    ['csrf', form.csrf],
    ['listed', 'scopes'],
    ['decision', 'allow'],
    ...ticked.map((name) => ['scope', name]),
  ]
  const answer = await gate.server.decide(fields, { user })
  return { markup: form.markup, query: new URL(answer.headers.get('location') ?? '').searchParams }
}

/** Sections of the consent page: what is a question, and what stands without one. */
function sections(markup: string) {
  const [fresh = '', held = ''] = markup.split('Already allowed')
  const boxes = [...fresh.matchAll(/name="scope" value="([^"]*)"/g)].map(([, name]) => name)
  return { boxes, held: [...held.matchAll(/<li>([^<]*)<\/li>/g)].map(([, sentence]) => sentence) }
}

const note = { name: 'save_note', arguments: { title: 'Tea', text: 'With Ada' } }

describe.each(eras)('a host on SDK $sdk', ({ connect, finish, refreshesAtChallenge }) => {
  /** Connected with reading alone: the person unticked the other permission. */
  async function connectReading() {
    const provider = newProvider()
    await expect(connect(provider)).rejects.toThrow()
    const { query, markup } = await answerPage(provider, ['notes:read'])
    expect(sections(markup)).toEqual({ boxes: ['notes:read', 'notes:write'], held: [] })
    await finish(provider, query)
    expect(provider.tokens()?.scope).toBe('notes:read')
    return provider
  }

  it('is asked for what is new alone, and then the call works', async () => {
    const provider = await connectReading()
    const refused = await connect(provider)
    await expect(refused.callTool(note)).rejects.toThrow()
    expect(gate.statuses).toContain(403)
    await refused.close()

    // SDK v1 refreshes, which cannot give more: there the person connects again.
    if (refreshesAtChallenge) {
      provider.forgetTokens()
      await expect(connect(provider)).rejects.toThrow()
    }
    expect(provider.opened().searchParams.get('scope')?.split(' ')).toEqual(
      expect.arrayContaining(['notes:read', 'notes:write']),
    )
    const { markup, query } = await answerPage(provider, ['notes:write'])
    expect(sections(markup)).toEqual({ boxes: ['notes:write'], held: ['Read your notes'] })
    await finish(provider, query)
    expect(provider.tokens()?.scope).toBe('notes:read notes:write')

    const allowed = await connect(provider)
    expect((await allowed.callTool(note)).isError).toBeFalsy()
    expect((await allowed.callTool({ name: 'list_notes', arguments: {} })).isError).toBeFalsy()
    await allowed.close()
  })

  it('may read on while the person has not answered', async () => {
    const provider = await connectReading()
    const client = await connect(provider)
    await expect(client.callTool(note)).rejects.toThrow()
    expect((await client.callTool({ name: 'list_notes', arguments: {} })).isError).toBeFalsy()
    await client.close()
  })
})

describe('the consent page at step-up', () => {
  /** A connection of that app with reading alone. */
  async function connected(name: string, user = ada) {
    const { client_id } = await gate.server.register({ client_name: name })
    const { tx, csrf } = await gate.server.consentForm({ ...request(client_id), scope: 'notes:read' }, user)
    const answer = await gate.server.decide({ tx, csrf, decision: 'allow' }, { user })
    const code = new URL(answer.headers.get('location') ?? '').searchParams.get('code') ?? ''
    await gate.server.redeem(client_id, code)
    return client_id
  }
  const ask = (clientId: string, scope: string, user = ada) =>
    gate.server.consentForm({ ...request(clientId), scope }, user)

  it.each([
    { whose: 'another person', name: 'App', user: bob },
    { whose: 'an app of another name at the same address', name: 'Other', user: ada },
  ])('counts nothing that $whose has', async ({ name, user }) => {
    await connected(name, user)
    const { client_id } = await gate.server.register()
    expect(sections((await ask(client_id, 'notes:read notes:write')).markup)).toEqual({
      boxes: ['notes:read', 'notes:write'],
      held: [],
    })
  })

  it('counts the same app that registered anew', async () => {
    await connected('App')
    const { client_id } = await gate.server.register({ grant_types: ['authorization_code'] })
    expect(sections((await ask(client_id, 'notes:read notes:purge')).markup).boxes).toEqual(['notes:purge'])
  })

  it('is an ordinary one when all is allowed already, or the connection was ended', async () => {
    const clientId = await connected('App')
    expect(sections((await ask(clientId, 'notes:read')).markup).boxes).toEqual(['notes:read'])
    const [grant] = await gate.server.oauth.listGrants('ada')
    await gate.server.oauth.endGrant({ accountId: 'ada', grantId: grant?.id ?? '', why: 'person' })
    expect(sections((await ask(clientId, 'notes:read notes:write')).markup).boxes).toHaveLength(2)
  })

  it('wants at least one new permission, and gives nothing that was not asked', async () => {
    const clientId = await connected('App')
    const { tx, csrf } = await ask(clientId, 'notes:read notes:write')
    const empty = await gate.server.decide({ tx, csrf, listed: 'scopes', decision: 'allow' })
    expect(empty.status).toBe(400)
    expect(await empty.text()).toContain('Choose at least one new permission')

    const greedy = [
      ['tx', tx],
      ['csrf', csrf],
      ['decision', 'allow'],
      ['scope', 'notes:write'],
      ['scope', 'notes:purge'],
    ]
    const answer = await gate.server.decide(greedy)
    const code = new URL(answer.headers.get('location') ?? '').searchParams.get('code') ?? ''
    const tokens = (await (await gate.server.redeem(clientId, code)).json()) as { scope: string }
    expect(tokens.scope).toBe('notes:read notes:write')
  })
})
