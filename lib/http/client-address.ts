/** Who is believed about the address of a client (`TRUST_PROXY`). */
export type TrustedProxy = 'none' | 'vercel' | `hops:${number}`

/**
 * The address of a client, for rate limits only: as the trusted proxies tell it. Without one it is unknown,
 * because a route handler does not see the socket and anyone can send `X-Forwarded-For`.
 */
export function clientAddress(trust: TrustedProxy): (request: Request) => string | undefined {
  if (trust === 'none') return () => undefined
  if (trust === 'vercel') return (request) => request.headers.get('x-vercel-forwarded-for') ?? undefined

  const hops = Number(trust.slice('hops:'.length))
  return (request) => {
    const chain = (request.headers.get('x-forwarded-for') ?? '').split(',').map((address) => address.trim())
    // Each proxy of ours adds the address it saw: the one that the outermost added is the client's.
    return chain.at(-hops) || undefined
  }
}
