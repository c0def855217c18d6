import { z } from 'zod'
import { AUTHORIZATION_REQUEST_MS } from '#lib/config/limits'
import type { OAuthDeps } from '#lib/oauth/endpoints/deps'

const sealedRequest = z.object({ q: z.string(), exp: z.number() })

type Needs = Pick<OAuthDeps, 'keyRing' | 'clock'>

/** Seals an authorization request so that the browser carries it through sign-in; nothing is stored. */
export function sealRequest(query: string, { keyRing, clock }: Needs): Promise<string> {
  const exp = clock() + AUTHORIZATION_REQUEST_MS
  return keyRing.seal('authorization-request', JSON.stringify({ q: query, exp }))
}

/** The query of a sealed request; `undefined` when it is not ours or older than 10 minutes. */
export async function openRequest(rt: string, { keyRing, clock }: Needs): Promise<string | undefined> {
  const opened = await keyRing.open('authorization-request', rt)
  if (opened === undefined) return undefined
  const { q, exp } = sealedRequest.parse(JSON.parse(opened))
  return clock() < exp ? q : undefined
}
