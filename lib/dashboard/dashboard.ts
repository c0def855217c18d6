import type { Clock } from '#lib/core/clock'
import type { SignedIn } from '#lib/core/signed-in'
import { type Connection, connectionsOf, type ListedGrant } from '#lib/dashboard/connections'
import { END_CONNECTION, type EndConnectionDeps, endConnection } from '#lib/dashboard/end-connection'
import { type HostGuide, hostGuides } from '#lib/dashboard/hosts'
import { groupByPermission, type PermissionGroup, type PermissionSource } from '#lib/dashboard/permissions'
import type { Exchange } from '#lib/http/endpoint'
import type { Offer } from '#lib/mcp/define'

export interface DashboardDeps extends EndConnectionDeps {
  readonly offer: Pick<Offer, 'name' | 'tools'>
  readonly scopes: readonly PermissionSource[]
  readonly clock: Clock
  readonly identity: EndConnectionDeps['identity'] & {
    /** A token for one kind of form of this browser session. */
    csrfOf(session: Pick<SignedIn, 'sessionHash'>, purpose: string): Promise<string>
    /** Hidden fields of a form that posts to `/sign-out`. */
    signOutFields(session: Pick<SignedIn, 'sessionHash'>): Promise<Readonly<Record<string, string>>>
  }
  readonly oauth: EndConnectionDeps['oauth'] & {
    listGrants(accountId: string): Promise<readonly ListedGrant[]>
  }
}

/** What the landing page says besides who is signed in. */
export interface LandingModel {
  readonly serverName: string
  readonly mcpUrl: string
  readonly hosts: readonly HostGuide[]
  readonly abilities: readonly PermissionGroup[]
}

/** What the page of connections shows to one person. */
export interface ConnectionsModel {
  readonly connections: readonly Connection[]
  /** For the form that ends one. */
  readonly endCsrf: string
  /** Hidden fields of the form that posts to `/sign-out`. */
  readonly signOutFields: Readonly<Record<string, string>>
}

/** What the pages show, and what one can do on them. */
export interface Dashboard {
  /** The same for everyone; needs no store. */
  readonly landing: LandingModel
  /** One's own connections. One store read for the list and what that costs in `listGrants`. */
  connections(user: SignedIn): Promise<ConnectionsModel>
  /** `POST /dashboard/connections/end`; answers every method. */
  endConnection(request: Request, exchange: Exchange): Promise<Response>
}

/** Binds the pages' models and commands to what identity and the authorization server decide. */
export function createDashboard(deps: DashboardDeps): Dashboard {
  const mcpUrl = `${deps.origin}/api/mcp`
  return {
    landing: {
      serverName: deps.serverName,
      mcpUrl,
      hosts: hostGuides({
        url: mcpUrl,
        name: slugOf(deps.serverName) || deps.offer.name,
        title: deps.serverName,
      }),
      abilities: groupByPermission(deps.offer.tools, deps.scopes),
    },

    async connections(user) {
      const [grants, endCsrf, signOutFields] = await Promise.all([
        deps.oauth.listGrants(user.accountId),
        deps.identity.csrfOf(user, END_CONNECTION),
        deps.identity.signOutFields(user),
      ])
      const connections = connectionsOf(grants, { scopes: deps.scopes, now: deps.clock() })
      return { connections, endCsrf, signOutFields }
    },

    endConnection: (request, exchange) => endConnection(request, exchange, deps),
  }
}

/** A name as hosts list it, which many of them keep to letters, digits and hyphens. */
const slugOf = (name: string): string =>
  name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')
