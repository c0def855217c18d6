import type { Clock } from '#lib/core/clock'
import type { SignedIn } from '#lib/core/signed-in'
import { type Connection, connectionsOf, type ListedGrant } from '#lib/dashboard/connections'
import { END_CONNECTION, type EndConnectionDeps, endConnection } from '#lib/dashboard/end-connection'
import { type HostGuide, hostGuides } from '#lib/dashboard/hosts'
import { groupByPermission, type PermissionGroup, type PermissionSource } from '#lib/dashboard/permissions'
import type { Exchange } from '#lib/http/endpoint'
import type { Offer } from '#lib/mcp/define'

export interface DashboardDeps extends EndConnectionDeps {
  /** The URL that people paste into a host. */
  readonly mcpUrl: string
  readonly offer: Pick<Offer, 'name' | 'tools'>
  readonly scopes: readonly PermissionSource[]
  readonly clock: Clock
  /** A token for one form of this browser session. */
  readonly csrfOf: (user: SignedIn, purpose: string) => Promise<string>
  /** Hidden fields of the form that posts to `/sign-out`. */
  readonly signOutFields: (user: SignedIn) => Promise<Readonly<Record<string, string>>>
  readonly listGrants: (accountId: string) => Promise<readonly ListedGrant[]>
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
  readonly csrf: string
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
  return {
    landing: {
      serverName: deps.server.name,
      mcpUrl: deps.mcpUrl,
      hosts: hostGuides({ url: deps.mcpUrl, name: deps.offer.name, title: deps.server.name }),
      abilities: groupByPermission(deps.offer.tools, deps.scopes),
    },

    async connections(user) {
      const [grants, csrf, signOutFields] = await Promise.all([
        deps.listGrants(user.accountId),
        deps.csrfOf(user, END_CONNECTION),
        deps.signOutFields(user),
      ])
      const connections = connectionsOf(grants, { scopes: deps.scopes, now: deps.clock() })
      return { connections, csrf, signOutFields }
    },

    endConnection: (request, exchange) => endConnection(request, exchange, deps),
  }
}
