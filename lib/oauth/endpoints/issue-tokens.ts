import { toSeconds } from '#lib/core/clock'
import { sha256 } from '#lib/core/hash'
import { signAccessToken } from '#lib/oauth/access-token'
import type { OAuthDeps } from '#lib/oauth/endpoints/deps'
import type { SigningKeySet } from '#lib/oauth/endpoints/signing-key-set'
import type { ActiveGrant } from '#lib/oauth/grant'
import { mintRefreshToken } from '#lib/oauth/refresh-token'

/** What a successful request is answered with. */
export interface Issue {
  readonly grant: ActiveGrant
  /** Generation of the refresh token; without refresh tokens 1. */
  readonly generation: number
  /** Of the access token. */
  readonly scopes: readonly string[]
}

/** The body of a token response (OAuth 2.1 §3.2.3). No member is `null`. */
export interface TokenResponse {
  readonly access_token: string
  readonly token_type: 'Bearer'
  readonly expires_in: number
  readonly scope: string
  readonly refresh_token?: string
}

/** Makes the tokens of an answer. The access token never outlives its grant. */
export async function issueTokens(
  { grant, generation, scopes }: Issue,
  deps: OAuthDeps,
  signingKeys: SigningKeySet,
): Promise<TokenResponse> {
  const now = deps.clock()
  const issuedAt = toSeconds(now)
  const rest = Math.ceil((grant.expiresAt - now) / 1000)
  const expiresIn = Math.max(1, Math.min(deps.settings.accessTokenSeconds, rest))
  const claims = {
    accountId: grant.accountId,
    epoch: grant.epoch,
    clientId: grant.client.id,
    clientKeyHash: await sha256(grant.client.key),
    clientEpoch: grant.clientEpoch ?? 0,
    grantId: grant.id,
    generation,
    scopes,
    issuedAt,
    expiresAt: issuedAt + expiresIn,
    tokenId: deps.random(16),
  }
  const { signer } = await signingKeys.current()
  const salt = grant.refresh?.salt
  const [accessToken, refreshToken] = await Promise.all([
    signAccessToken(claims, { issuer: deps.issuer, resource: deps.resource, signer }),
    salt === undefined ? undefined : mintRefreshToken({ grantId: grant.id, generation, salt }, deps.keyRing),
  ])
  return {
    access_token: accessToken,
    token_type: 'Bearer',
    expires_in: expiresIn,
    scope: scopes.join(' '),
    ...(refreshToken === undefined ? {} : { refresh_token: refreshToken }),
  }
}
