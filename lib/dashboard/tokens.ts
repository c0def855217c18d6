import { type Permission, type PermissionSource, permissionsOf } from '#lib/dashboard/permissions'
import { deadline, type Moment, moment } from '#lib/dashboard/relative-time'

/** A personal access token as the authorization server lists it. Times in ms. */
export interface ListedToken {
  readonly id: string
  readonly name: string
  readonly scopes: readonly string[]
  readonly createdAt: number
  readonly expiresAt: number
  /** To the minute; `undefined`: not used yet. */
  readonly lastUsedAt: number | undefined
}

/** A token that was made just now. */
export interface CreatedToken {
  readonly token: string
  readonly summary: ListedToken
}

/** A personal access token as its owner sees it. */
export interface Token {
  readonly id: string
  readonly name: string
  readonly may: readonly Permission[]
  readonly created: Moment
  readonly expires: Moment
  /** Within a week. */
  readonly expiresSoon: boolean
  readonly lastUsed: Moment | undefined
}

/** A permission to choose for a new token. */
export interface PermissionChoice extends Permission {
  /** Ticked to begin with: what reads and includes nothing else. */
  readonly ticked: boolean
}

const SOON_MS = 7 * 86_400_000

/** What stands on the page of tokens, in the order in which they come. */
export function tokensOf(
  listed: readonly ListedToken[],
  { scopes, now }: { readonly scopes: readonly PermissionSource[]; readonly now: number },
): readonly Token[] {
  return listed.map(({ id, name, scopes: held, createdAt, expiresAt, lastUsedAt }) => ({
    id,
    name,
    may: permissionsOf(held, scopes),
    created: moment(createdAt, now),
    expires: deadline(expiresAt, now),
    expiresSoon: expiresAt - now < SOON_MS,
    lastUsed: lastUsedAt === undefined ? undefined : moment(lastUsedAt, now),
  }))
}

/** Every permission in words; the first that includes no other is ticked. */
export function permissionChoices(scopes: readonly PermissionSource[]): readonly PermissionChoice[] {
  const least = scopes.find((scope) => scope.includes.length === 0)
  return scopes.flatMap((scope) =>
    permissionsOf([scope.name], scopes).map((permission) => ({ ...permission, ticked: scope === least })),
  )
}
