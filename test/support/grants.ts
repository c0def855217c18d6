import type { ActiveGrant, PendingGrant } from '#lib/oauth/grant'

const common = {
  v: 1 as const,
  id: 'grant',
  accountId: 'ada',
  epoch: 1,
  client: {
    id: 'client',
    kind: 'dynamic',
    key: 'dcr_key',
    name: 'App',
    verified: false,
    redirectUris: ['https://app.example/callback'],
    grantTypes: ['authorization_code', 'refresh_token'],
  },
  scopes: ['notes:read'],
  resource: 'https://gate.example/api/mcp',
  codeHash: 'hash',
  codeChallenge: 'challenge',
  redirectUri: 'https://app.example/callback',
}

/** A grant whose code waits for 60 seconds from `now` (ms). */
export const pendingGrant = (now: number): PendingGrant => ({
  ...common,
  status: 'pending',
  createdAt: now,
  codeExpiresAt: now + 60_000,
})

/** A grant that was renewed at `now` (ms) and lives for 90 days. */
export const activeGrant = ({
  now,
  refresh,
}: {
  readonly now: number
  readonly refresh?: ActiveGrant['refresh']
}): ActiveGrant => ({
  ...common,
  status: 'active',
  createdAt: now,
  redeemedBy: 'first',
  renewedAt: now,
  expiresAt: now + 90 * 86_400_000,
  ...(refresh ? { refresh } : {}),
})
