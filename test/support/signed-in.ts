import type { Deployment } from '#test/support/deployment'
import {
  authorizeByFetch,
  type FetchPerson,
  personByFetch,
  redeemByFetch,
} from '#test/support/person-by-fetch'

/** Signs the owner in, or whoever the link is for, through OAuth, and gives an access token. */
export async function signedIn(
  { origin, ownerLink }: Pick<Deployment, 'origin' | 'ownerLink'>,
  link = ownerLink,
): Promise<{ readonly token: string; readonly person: FetchPerson }> {
  const person = personByFetch(origin)
  await person.signIn(link)
  return { token: await tokenFor(origin, person), person }
}

/** A token for one more app of the same person; another redirect URI is another app. */
export async function tokenFor(origin: string, person: FetchPerson, redirectUri?: string): Promise<string> {
  const { body } = await redeemByFetch(origin, await authorizeByFetch(origin, person, redirectUri))
  if (!body.access_token) throw new Error(`no token: ${body.error}`)
  return body.access_token
}
