import type { Clock } from '#lib/core/clock'
import type { Random } from '#lib/core/random'
import type { SignedIn } from '#lib/core/signed-in'
import {
  type AccountModel,
  accountModel,
  accountPurposes,
  type ListedSession,
  type ListedWaysIn,
} from '#lib/dashboard/account'
import {
  type AccountCommandDeps,
  type AccountCommands,
  accountCommands,
} from '#lib/dashboard/account-commands'
import { type Connection, connectionsOf, type ListedGrant } from '#lib/dashboard/connections'
import { CREATE_TOKEN, type CreateTokenDeps, createToken } from '#lib/dashboard/create-token'
import { END_CONNECTION, type EndConnectionDeps, endConnection } from '#lib/dashboard/end-connection'
import { END_TOKEN, type EndTokenDeps, endToken } from '#lib/dashboard/end-token'
import { type HostGuide, hostGuides } from '#lib/dashboard/hosts'
import { groupByPermission, type PermissionGroup, type PermissionSource } from '#lib/dashboard/permissions'
import {
  type ListedToken,
  type PermissionChoice,
  permissionChoices,
  type Token,
  tokensOf,
} from '#lib/dashboard/tokens'
import type { Exchange } from '#lib/http/endpoint'
import type { Offer } from '#lib/mcp/define'

export interface DashboardDeps extends EndConnectionDeps {
  readonly offer: Pick<Offer, 'name' | 'tools'>
  readonly scopes: readonly PermissionSource[]
  readonly clock: Clock
  readonly random: Random
  readonly identity: EndConnectionDeps['identity'] & {
    /** A token for one kind of form of this browser session. */
    csrfOf(session: Pick<SignedIn, 'sessionHash'>, purpose: string): Promise<string>
    /** Hidden fields of a form that posts to `/sign-out`. */
    signOutFields(session: Pick<SignedIn, 'sessionHash'>): Promise<Readonly<Record<string, string>>>
    readonly own: AccountCommandDeps['identity']['own'] & {
      waysIn(user: SignedIn): Promise<ListedWaysIn>
      browserSessions(user: SignedIn): Promise<readonly ListedSession[]>
    }
  }
  readonly oauth: EndConnectionDeps['oauth'] &
    EndTokenDeps['oauth'] &
    CreateTokenDeps['oauth'] & {
      listGrants(accountId: string): Promise<readonly ListedGrant[]>
      listPersonalTokens(accountId: string): Promise<readonly ListedToken[]>
      /** Lives to choose from, in days. */
      readonly personalTokenDays: readonly number[]
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

/** What the page of personal access tokens shows to one person. */
export interface TokensModel {
  readonly tokens: readonly Token[]
  readonly permissions: readonly PermissionChoice[]
  readonly days: readonly number[]
  /** Chosen to begin with. */
  readonly usualDays: number
  /** Goes along with the form, so that sending it twice makes one token. */
  readonly once: string
  readonly createCsrf: string
  readonly endCsrf: string
  /** Hidden fields of the form that posts to `/sign-out`. */
  readonly signOutFields: Readonly<Record<string, string>>
}

/** Offered first where it can be chosen. */
const USUAL_DAYS = 30

/** What the pages show, and what one can do on them. */
export interface Dashboard {
  /** The same for everyone; needs no store. */
  readonly landing: LandingModel
  /** One's own connections. One store read for the list and what that costs in `listGrants`. */
  connections(user: SignedIn): Promise<ConnectionsModel>
  /** `POST /dashboard/connections/end`; answers every method. */
  endConnection(request: Request, exchange: Exchange): Promise<Response>
  /** One's own personal access tokens, and what the form for a new one needs. */
  tokens(user: SignedIn): Promise<TokensModel>
  /** `POST /dashboard/tokens/create`; answers every method. */
  createToken(request: Request, exchange: Exchange): Promise<Response>
  /** `POST /dashboard/tokens/end`; answers every method. */
  endToken(request: Request, exchange: Exchange): Promise<Response>
  /** One's own ways to sign in, and the browsers that one is signed in with. */
  account(user: SignedIn): Promise<AccountModel>
  /** What the forms of the account page post to. */
  readonly accountCommands: AccountCommands
}

/** Binds the pages' models and commands to what identity and the authorization server decide. */
export function createDashboard(deps: DashboardDeps): Dashboard {
  const mcpUrl = `${deps.origin}/api/mcp`
  const slug = slugOf(deps.serverName) || deps.offer.name
  return {
    landing: {
      serverName: deps.serverName,
      mcpUrl,
      hosts: hostGuides({ url: mcpUrl, name: slug, title: deps.serverName }),
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

    tokens: (user) => tokensModel(user, deps),
    createToken: (request, exchange) => createToken(request, exchange, { ...deps, slug }),
    endToken: (request, exchange) => endToken(request, exchange, deps),

    account: (user) => ownAccount(user, deps),
    accountCommands: accountCommands(deps),
  }
}

async function tokensModel(
  user: SignedIn,
  { oauth, identity, scopes, clock, random }: DashboardDeps,
): Promise<TokensModel> {
  const [listed, createCsrf, endCsrf, signOutFields] = await Promise.all([
    oauth.listPersonalTokens(user.accountId),
    identity.csrfOf(user, CREATE_TOKEN),
    identity.csrfOf(user, END_TOKEN),
    identity.signOutFields(user),
  ])
  const days = oauth.personalTokenDays
  return {
    tokens: tokensOf(listed, { scopes, now: clock() }),
    permissions: permissionChoices(scopes),
    days,
    usualDays: days.includes(USUAL_DAYS) ? USUAL_DAYS : (days[0] ?? USUAL_DAYS),
    once: random(16),
    createCsrf,
    endCsrf,
    signOutFields,
  }
}

async function ownAccount(user: SignedIn, { identity, clock }: DashboardDeps): Promise<AccountModel> {
  const [waysIn, sessions, rename, remove, codes, session, everywhere, signOutFields] = await Promise.all([
    identity.own.waysIn(user),
    identity.own.browserSessions(user),
    identity.csrfOf(user, accountPurposes.rename),
    identity.csrfOf(user, accountPurposes.remove),
    identity.csrfOf(user, accountPurposes.codes),
    identity.csrfOf(user, accountPurposes.session),
    identity.csrfOf(user, accountPurposes.everywhere),
    identity.signOutFields(user),
  ])
  const csrf = { rename, remove, codes, session, everywhere }
  return accountModel({ user, waysIn, sessions, csrf, signOutFields, now: clock() })
}

/** A name as hosts list it, which many of them keep to letters, digits and hyphens. */
const slugOf = (name: string): string =>
  name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')
