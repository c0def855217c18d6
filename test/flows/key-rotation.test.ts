import { decodeProtectedHeader } from 'jose'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { METADATA_MAX_AGE_SECONDS, SIGNING_KEY_MAX_AGE_MS } from '#lib/config/limits'
import type { OAuth } from '#lib/oauth/endpoints/deps'
import {
  type AuthorizationServer,
  ISSUER,
  startAuthorizationServer,
  type Tokens,
} from '#test/support/authorization-server'

let server: AuthorizationServer
/** Two instances that know of each other only through the store. */
let instances: readonly [OAuth, OAuth]

beforeEach(async () => {
  server = await startAuthorizationServer()
  instances = [server.oauth, server.another()]
})
afterEach(() => server.close())

const kidOf = ({ access_token }: Tokens) => decodeProtectedHeader(access_token).kid
const kidsOf = async (instance: OAuth) => (await instance.signingKeys.list()).map(({ kid }) => kid)

/** Refreshes at one of the instances. */
async function refresh(instance: OAuth, clientId: string, { refresh_token }: Tokens): Promise<Tokens> {
  const body = new URLSearchParams({ grant_type: 'refresh_token', client_id: clientId, refresh_token })
  const answer = await instance.token(
    new Request(`${ISSUER}/oauth/token`, { method: 'POST', body }),
    server.exchange(),
  )
  expect(answer.status).toBe(200)
  return (await answer.json()) as Tokens
}

const published = async (instance: OAuth) => {
  const answer = await instance.jwks(new Request(`${ISSUER}/.well-known/jwks.json`), server.exchange())
  const { keys } = (await answer.json()) as { keys: { kid: string; d?: string }[] }
  expect(keys.every((key) => key.d === undefined)).toBe(true)
  return keys.map(({ kid }) => kid)
}

describe('a rotation by command', () => {
  it('refuses no token on any instance, from before it to after it', async () => {
    const { clientId, tokens } = await server.connect()
    const held: Tokens[] = [tokens]
    let latest = tokens
    const { signsFrom } = await instances[1].signingKeys.rotate()
    expect(signsFrom).toBe(server.now() + METADATA_MAX_AGE_SECONDS * 1000)

    const kids = new Set<string | undefined>()
    for (let second = 0; second < 5400; second += 45) {
      server.pass(45)
      const at = instances[(second / 45) % 2] ?? server.oauth
      latest = await refresh(at, clientId, latest)
      kids.add(kidOf(latest))
      held.push(latest)
      // Every token that has not expired, at both.
      const living = held.slice(-Math.floor(3600 / 45))
      for (const instance of instances) {
        for (const token of [living[0], living.at(-1)]) {
          expect((await server.admit(token?.access_token ?? '', instance)).ok).toBe(true)
        }
      }
    }
    expect(kids.size).toBe(2)
    expect(await kidsOf(instances[0])).toEqual([kidOf(latest)])
  })

  it('publishes the key 5 minutes before it signs', async () => {
    const { clientId, tokens } = await server.connect()
    await instances[0].signingKeys.rotate()
    const both = await published(instances[0])
    expect(both).toHaveLength(2)
    server.pass(METADATA_MAX_AGE_SECONDS - 1)
    const before = await refresh(instances[0], clientId, tokens)
    expect(kidOf(before)).toBe(kidOf(tokens))
    server.pass(2)
    // Whoever is asked first takes the step after its answer.
    const noticed = await refresh(instances[1], clientId, before)
    await new Promise(setImmediate)
    await server.admit(noticed.access_token, instances[1])
    server.pass(10)
    const after = await refresh(instances[0], clientId, noticed)
    expect(both.indexOf(kidOf(after) ?? '')).toBe(1)
    expect(await published(instances[0])).toEqual(both)
  })

  it('makes one next key of many commands at once', async () => {
    const both = await Promise.allSettled(instances.map((instance) => instance.signingKeys.rotate()))
    const made = both.filter((one) => one.status === 'fulfilled' && one.value.published)
    expect(made).toHaveLength(1)
    expect(await kidsOf(instances[0])).toHaveLength(2)
    expect((await instances[0].signingKeys.rotate()).published).toBe(false)
  })

  it('takes each step once when all instances notice it at once', async () => {
    const { tokens } = await server.connect()
    await instances[0].signingKeys.rotate()
    server.pass(METADATA_MAX_AGE_SECONDS)
    await Promise.all(instances.map((instance) => server.admit(tokens.access_token, instance)))
    const states = (await instances[0].signingKeys.list()).map(({ state }) => state)
    expect(states).toEqual(['retired', 'current'])
  })
})

it('rotates by age without a command', async () => {
  const { clientId, tokens } = await server.connect()
  let latest = tokens
  // A connection that is refreshed now and then; its own end lies behind the age of a key.
  const days = SIGNING_KEY_MAX_AGE_MS / 86_400_000
  for (let day = 0; day < days - 1; day += 15) {
    server.pass(15 * 86_400)
    latest = day + 15 < days ? await refresh(server.oauth, clientId, latest) : latest
  }
  const { tokens: later } = await server.connect()
  for (const seconds of [0, 20, METADATA_MAX_AGE_SECONDS + 20, 20]) {
    server.pass(seconds)
    expect((await server.admit(later.access_token)).ok).toBe(true)
  }
  const { tokens: newest } = await server.connect()
  expect(kidOf(newest)).not.toBe(kidOf(latest))
  expect((await server.admit(later.access_token, instances[1])).ok).toBe(true)
})

describe('an emergency', () => {
  it('makes every instance refuse what the dropped keys signed within 10 seconds, without a request more', async () => {
    const { tokens } = await server.connect()
    for (const instance of instances) await server.admit(tokens.access_token, instance)
    await instances[1].signingKeys.replace()
    // The instance that was told refuses at once.
    expect((await server.admit(tokens.access_token, instances[1])).ok).toBe(false)
    server.pass(10)
    server.requests.length = 0
    expect((await server.admit(tokens.access_token, instances[0])).ok).toBe(false)
    expect(server.requests).toHaveLength(1)
    expect((await server.admit(tokens.access_token, instances[0])).ok).toBe(false)
  })

  it('signs nothing with a dropped key that is 10 seconds gone', async () => {
    const { clientId, tokens } = await server.connect()
    await instances[1].signingKeys.replace()
    server.pass(10)
    const refreshed = await refresh(instances[0], clientId, tokens)
    expect(await kidsOf(instances[1])).toEqual([kidOf(refreshed)])
    for (const instance of instances) {
      expect((await server.admit(refreshed.access_token, instance)).ok).toBe(true)
    }
  })

  it('is learnt at once by an instance that meets a token of the new key', async () => {
    const { clientId, tokens } = await server.connect()
    server.pass(11)
    await server.admit(tokens.access_token, instances[0])
    await instances[1].signingKeys.replace()
    const fresh = await refresh(instances[1], clientId, tokens)
    server.pass(10)
    expect((await server.admit(fresh.access_token, instances[0])).ok).toBe(true)
    expect((await server.admit(tokens.access_token, instances[0])).ok).toBe(false)
  })

  it('wins over a rotation that runs at the same time', async () => {
    const { tokens } = await server.connect()
    await instances[0].signingKeys.rotate()
    server.pass(METADATA_MAX_AGE_SECONDS)
    await Promise.all([server.admit(tokens.access_token, instances[0]), instances[1].signingKeys.replace()])
    server.pass(10)
    for (const instance of instances)
      expect((await server.admit(tokens.access_token, instance)).ok).toBe(false)
    expect(await kidsOf(instances[0])).not.toContain(kidOf(tokens))
  })
})
