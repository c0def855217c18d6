import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createKeyRing } from '#lib/core/key-ring'
import { systemRandom as random } from '#lib/core/random'
import { isDynamicClientSecret, openDynamicClient, registerDynamicClient } from '#lib/oauth/dynamic-client'

const OLD = 'a secret of at least thirty-two bytes, old'
const keyRing = createKeyRing([OLD], 'test')
const metadata = {
  redirectUris: ['https://app.example/cb', 'http://localhost:5/cb'],
  name: 'Äpp 🗒',
  grantTypes: ['authorization_code', 'refresh_token'],
  authMethod: 'none',
  scopes: ['notes:read'],
  applicationType: 'native',
} as const

const register = async (change: object = {}, ring = keyRing) => {
  const client = await registerDynamicClient({ ...metadata, ...change }, { keyRing: ring, random })
  if (!client) throw new Error('it does not fit')
  return client
}

describe('a client that registered itself', () => {
  it('is read from its id, which is plain in every encoding', async () => {
    const { clientId, clientSecret } = await register()
    expect(clientId).toMatch(/^dc1_[A-Za-z0-9_-]+$/)
    expect(clientSecret).toBeUndefined()
    expect(await openDynamicClient(clientId, keyRing)).toMatchObject({
      id: clientId,
      name: 'Äpp 🗒',
      verified: false,
      redirectUris: metadata.redirectUris.toSorted(),
      grantTypes: ['authorization_code', 'refresh_token'],
      authMethods: ['none'],
      scopeCeiling: ['notes:read'],
    })
  })

  it('keeps its key over another name and port, and not over another host', async () => {
    const keyOf = async (change: object) =>
      (await openDynamicClient((await register(change)).clientId, keyRing))?.key
    const key = await keyOf({})
    const moved = ['http://localhost:9/other', 'https://app.example/v2']
    expect(await keyOf({ name: 'App 2.0', redirectUris: moved, authMethod: undefined })).toBe(key)
    expect(await keyOf({ redirectUris: ['https://evil.example/cb', 'http://localhost:5/cb'] })).not.toBe(key)
  })

  it('is called by where it leads when it has no name', async () => {
    const { clientId } = await register({ name: undefined, redirectUris: ['https://app.example/cb'] })
    expect((await openDynamicClient(clientId, keyRing))?.name).toBe('app.example')
  })

  it('survives a new secret as long as the old one is kept', async () => {
    const { clientId, clientSecret = '' } = await register({ authMethod: 'client_secret_post' })
    const rotated = createKeyRing(['a secret of at least thirty-two bytes, new', OLD], 'test')
    expect(await openDynamicClient(clientId, rotated)).toMatchObject({ id: clientId })
    expect(await isDynamicClientSecret(clientSecret, clientId, rotated)).toBe(true)
    const strange = createKeyRing(['a secret of at least thirty-two bytes, new'], 'test')
    expect(await openDynamicClient(clientId, strange)).toBeUndefined()
  })

  it('of another deployment is unknown', async () => {
    const { clientId } = await register()
    expect(await openDynamicClient(clientId, createKeyRing([OLD], 'preview'))).toBeUndefined()
  })

  it('may not be longer than 1,024 characters', async () => {
    const redirectUris = [`https://app.example/${'p'.repeat(490)}`]
    expect((await register({ redirectUris })).clientId.length).toBeLessThanOrEqual(1024)
    const two = [...redirectUris, `https://app.example/${'q'.repeat(490)}`]
    expect(
      await registerDynamicClient({ ...metadata, redirectUris: two }, { keyRing, random }),
    ).toBeUndefined()
  })

  it('cannot be made up: no change of one character opens', async () => {
    const { clientId } = await register()
    await fc.assert(
      fc.asyncProperty(fc.nat(clientId.length - 1), fc.constantFrom(...'Ab0_-.'), async (at, character) => {
        fc.pre(clientId[at] !== character)
        const changed = clientId.slice(0, at) + character + clientId.slice(at + 1)
        expect(await openDynamicClient(changed, keyRing)).toBeUndefined()
      }),
    )
  })
})
