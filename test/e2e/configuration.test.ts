import { beforeAll, describe, expect, it } from 'vitest'
import { ensureBuilt } from '#test/support/build'
import { startRefused } from '#test/support/product'

beforeAll(ensureBuilt)

const SECRET = 'Xq3-vT9_kLm2Zp8RwB5nYc7Hd1Jf6GsA4eUoIiQtVxE'

describe('a wrong configuration', () => {
  it.each([
    {
      fault: 'a public URL without a store that others can reach',
      env: { PUBLIC_URL: 'https://notes.example' },
      named: ['DATA_DIR'],
      without: ['DATA_DIR'],
    },
    {
      fault: 'half of a pair',
      env: {
        UPSTASH_REDIS_REST_URL: 'https://db.upstash.io',
        AUTH_SECRET: SECRET,
        PUBLIC_URL: 'https://a.example',
      },
      named: ['UPSTASH_REDIS_REST_TOKEN'],
      without: [],
    },
    {
      fault: 'many faults at once',
      env: {
        PUBLIC_URL: 'https://notes.example/path',
        AUTH_SECRET: 'short',
        ACCESS_TOKEN_SECONDS: 'an hour',
        TRUST_PROXY: 'everyone',
      },
      named: ['PUBLIC_URL', 'AUTH_SECRET', 'ACCESS_TOKEN_SECONDS', 'TRUST_PROXY'],
      without: [],
    },
    {
      fault: 'the conformance fixture in public',
      env: {
        GATEHOUSE_CONFORMANCE: '1',
        PUBLIC_URL: 'https://notes.example',
        AUTH_SECRET: SECRET,
        REDIS_URL: 'rediss://db.example:6379',
      },
      named: ['GATEHOUSE_CONFORMANCE'],
      without: [],
    },
  ])('with $fault ends the process, names it and shows no secret', async ({ env, named, without }) => {
    const { code, said } = await startRefused(env, without)
    expect(code).not.toBe(0)
    expect(code).not.toBeNull()
    for (const name of named) expect(said).toContain(name)
    expect(said).not.toContain(SECRET)
    expect(said).not.toContain('MCP endpoint:')
  })
})
