import { describe, expect, it } from 'vitest'
import { deployLink } from '#lib/node/deploy-link'

describe('the link that deploys to Vercel', () => {
  const query = new URL(deployLink('https://github.com/someone/gatehouse')).searchParams

  it('clones the repository it is given', () => {
    expect(query.get('repository-url')).toBe('https://github.com/someone/gatehouse')
  })

  it('asks for the two values that only a person can give', () => {
    expect(query.get('env')).toBe('AUTH_SECRET,OWNER_SETUP_CODE')
    expect(query.get('envDescription')).toMatch(/openssl rand -base64 32/)
  })

  it('adds an Upstash database, whose variables Vercel sets by itself', () => {
    expect(JSON.parse(query.get('stores') ?? '')).toEqual([
      expect.objectContaining({ type: 'integration', integrationSlug: 'upstash', productSlug: 'upstash-kv' }),
    ])
  })
})
