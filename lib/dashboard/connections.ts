import { type Permission, type PermissionSource, permissionsOf } from '#lib/dashboard/permissions'
import { type Moment, moment } from '#lib/dashboard/relative-time'

/** A grant as the authorization server lists it: one app that one person let in. Times in ms. */
export interface ListedGrant {
  readonly id: string
  readonly client: { readonly name: string; readonly verified: boolean }
  /** Where the answer of the authorization went. */
  readonly redirectUri: string
  readonly scopes: readonly string[]
  readonly createdAt: number
  /** To the minute; `undefined`: not used yet. */
  readonly lastUsedAt: number | undefined
}

/** A connection as its owner sees it. */
export interface Connection {
  readonly id: string
  /** What the app calls itself, in one line. Written by the app. */
  readonly appName: string
  /** One or two letters for its mark. */
  readonly initials: string
  readonly verified: boolean
  /** Where the app lives: "claude.ai", "an app on your computer". */
  readonly home: string
  readonly may: readonly Permission[]
  readonly connected: Moment
  readonly lastUsed: Moment | undefined
}

/** What stands on a page of connections: most recently used first, then most recently connected. */
export function connectionsOf(
  grants: readonly ListedGrant[],
  { scopes, now }: { readonly scopes: readonly PermissionSource[]; readonly now: number },
): readonly Connection[] {
  const latest = (grant: ListedGrant) => grant.lastUsedAt ?? grant.createdAt
  return [...grants]
    .sort((left, right) => latest(right) - latest(left))
    .map((grant) => {
      const home = homeOf(grant.redirectUri)
      const appName = grant.client.name.trim() || 'An app without a name'
      return {
        id: grant.id,
        appName,
        initials: initialsOf(appName),
        verified: grant.client.verified,
        home,
        may: permissionsOf(grant.scopes, scopes),
        connected: moment(grant.createdAt, now),
        lastUsed: grant.lastUsedAt === undefined ? undefined : moment(grant.lastUsedAt, now),
      }
    })
}

/** Letters for a mark: of the first two words ("CC"), or the first two of one word ("Cl"). */
export function initialsOf(name: string): string {
  const [first, second] = (name.match(/[\p{L}\p{N}]+/gu) ?? []).map((word) => [...word])
  if (!first?.[0]) return '?'
  return first[0].toUpperCase() + (second?.[0]?.toUpperCase() ?? first[1] ?? '')
}

const loopback = new Set(['localhost', '127.0.0.1', '[::1]'])

function homeOf(redirectUri: string): string {
  if (!URL.canParse(redirectUri)) return 'an unknown place'
  const { protocol, hostname, host } = new URL(redirectUri)
  if (loopback.has(hostname)) return 'an app on your computer'
  return protocol === 'https:' ? host : `the app that opens ${protocol}// links`
}
