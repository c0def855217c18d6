import { describe, expect, it } from 'vitest'
import { answersRequest, mayBeRemembered, rememberedHash } from '#lib/oauth/consent-memory'

const client = {
  id: 'https://app.example/client.json',
  kind: 'metadata_document',
  key: 'https://app.example/client.json',
  name: 'App',
  verified: true,
  redirectUris: ['https://app.example/callback'],
  grantTypes: ['authorization_code'],
  digest: 'digest',
}
const redirectUri = 'https://app.example/callback'

describe('an answer', () => {
  it('may be remembered for a client whose domain vouches for it and gets the answer', () => {
    expect(mayBeRemembered({ client, redirectUri })).toBe(true)
  })

  it.each([
    { to: 'a client that registered itself', change: { kind: 'dynamic', id: 'dc1_x' } },
    { to: 'a client that registered itself under a URL', change: { kind: 'dynamic' } },
    { to: 'a static client', change: { kind: 'static', id: 'sc_x' } },
    { to: 'another host', redirect: 'https://evil.example/callback' },
    { to: 'another port of the host', redirect: 'https://app.example:8443/callback' },
    { to: 'a host below it', redirect: 'https://x.app.example/callback' },
    { to: 'the loopback interface', redirect: 'http://127.0.0.1/callback' },
    { to: 'localhost', redirect: 'http://localhost:3000/callback' },
    { to: 'an app of the device', redirect: 'cursor://app.example/callback' },
    { to: 'http', redirect: 'http://app.example/callback' },
  ])('to $to is never remembered', ({ change = {}, redirect = redirectUri }) => {
    expect(mayBeRemembered({ client: { ...client, ...change }, redirectUri: redirect })).toBe(false)
  })
})

describe('a memory', () => {
  const memory = {
    v: 1 as const,
    scopes: ['notes:read', 'notes:write'],
    epoch: 1,
    clientEpoch: 1,
    digest: 'digest',
    expiresAt: 1000,
  }
  const asked = { scopes: ['notes:read'], epoch: 1, clientEpoch: 1, client, now: 999 }

  it.each([
    { of: 'the same', change: {}, answers: true },
    { of: 'all that was allowed', change: { scopes: memory.scopes }, answers: true },
    { of: 'more', change: { scopes: ['notes:read', 'notes:purge'] }, answers: false },
    { of: 'its last moment', change: { now: 1000 }, answers: false },
    { of: 'a later epoch', change: { epoch: 2 }, answers: false },
    { of: 'an app whose connections were all ended', change: { clientEpoch: 2 }, answers: false },
    { of: 'a changed document', change: { client: { ...client, digest: 'other' } }, answers: false },
  ])('answers a request of $of: $answers', ({ change, answers }) => {
    expect(answersRequest(memory, { ...asked, ...change })).toBe(answers)
  })

  it('has a name of its own for each app and each address', async () => {
    const names = await Promise.all(
      [
        { client, redirectUri },
        { client: { ...client, id: `${client.id}x` }, redirectUri },
        { client, redirectUri: `${redirectUri}x` },
      ].map(rememberedHash),
    )
    expect(new Set(names).size).toBe(3)
  })
})
