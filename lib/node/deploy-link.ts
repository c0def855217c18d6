import { execFileSync } from 'node:child_process'

/**
 * The address that deploys a repository to Vercel: asks for the two values only a person can give and adds an
 * Upstash database, whose address and token Vercel sets by itself.
 *
 * @param repository - its web address; absent: the `origin` of the git checkout
 */
export function deployLink(repository = originOfCheckout()): string {
  const stores = [
    { type: 'integration', integrationSlug: 'upstash', productSlug: 'upstash-kv', protocol: 'storage' },
  ]
  const query = new URLSearchParams({
    'repository-url': repository,
    'project-name': 'gatehouse',
    env: 'AUTH_SECRET,OWNER_SETUP_CODE',
    envDescription:
      'AUTH_SECRET: the output of "openssl rand -base64 32". OWNER_SETUP_CODE: 16 characters or more; you type it once to become the owner.',
    stores: JSON.stringify(stores),
  })
  return `https://vercel.com/new/clone?${query}`
}

function originOfCheckout(): string {
  try {
    const origin = execFileSync('git', ['remote', 'get-url', 'origin'], { encoding: 'utf8' }).trim()
    return origin.replace(/^git@([^:]+):/, 'https://$1/').replace(/\.git$/, '')
  } catch {
    throw new Error('this checkout has no git remote named origin; give the address of your repository')
  }
}
