import type { Clock, Pause } from '#lib/core/clock'
import type { KeyRing } from '#lib/core/key-ring'
import type { Random } from '#lib/core/random'
import type { Result } from '#lib/core/result'
import type { SignedIn } from '#lib/core/signed-in'
import type { Exchange } from '#lib/http/endpoint'
import type { BearerRefusal, CallRefusal, Challenge } from '#lib/oauth/bearer'
import type { SigningKeySet } from '#lib/oauth/endpoints/signing-key-set'
import type { StaticClients } from '#lib/oauth/endpoints/static-clients'
import type { FetchDocument } from '#lib/oauth/fetch-document'
import type { AdmittedGrant, GrantSummary, PersonalTokenSummary } from '#lib/oauth/grant'
import type { CallClaims } from '#lib/oauth/personal-token'
import type { PersonalTokenFault, PersonalTokenRequest } from '#lib/oauth/personal-token-request'
import type { Scope } from '#lib/oauth/scope'
import type { Audit } from '#lib/observability/audit'
import type { Log } from '#lib/observability/log'
import type { Check } from '#lib/store/check'
import type { Operation, Store } from '#lib/store/port'

/** The operator's settings of the authorization server (DESIGN.md §4). */
export interface OAuthSettings {
  readonly accessTokenSeconds: number
  readonly codeSeconds: number
  readonly refreshGraceSeconds: number
  readonly refreshIdleSeconds: number
  readonly refreshMaxSeconds: number
  /** Refuse private-use redirect schemes such as `cursor:`. */
  readonly strictRedirects: boolean
  /** Patterns of hosts whose client id metadata documents are accepted; an empty list: of every public host. */
  readonly cimdAllow: readonly string[]
  /** Patterns of hosts whose documents are not; stronger than `cimdAllow`. */
  readonly cimdBlock: readonly string[]
  /** Do not ask again what was allowed, where that is safe (`lib/oauth/consent-memory`). */
  readonly consentMemory: boolean
  /** Where accounts are forgotten after a time (previews): no personal access token is made for longer. */
  readonly recordTtlMs?: number | undefined
}

/** All that the authorization server is given. */
export interface OAuthDeps {
  /** `PUBLIC_URL`: an origin, no path, no trailing slash. */
  readonly issuer: string
  /** The one resource, `issuer` + `/api/mcp`. */
  readonly resource: string
  readonly serverName: string
  readonly version: string
  readonly scopes: readonly Scope[]
  readonly keyRing: KeyRing
  readonly store: Store
  readonly clock: Clock
  readonly pause: Pause
  /** Work that goes on after the answer and that the platform should wait for. It never rejects. */
  readonly afterAnswer: (work: Promise<unknown>) => void
  readonly random: Random
  readonly log: Log
  readonly audit: Audit
  readonly settings: OAuthSettings
  /** Fetches what strangers name, without being led into a private network. */
  readonly fetchDocument: FetchDocument
  /** Who sits at the browser. */
  readonly currentUser: (request: Request) => Promise<SignedIn | undefined>
  /** Whether an account still stands in that epoch. */
  readonly accountCheck: (
    accountId: string,
    epoch: number,
  ) => Check<'get', { readonly name: string }, 'account_ended'>
  /** Whom a request comes from, for the flood limits; without it all callers share one (generous) budget. */
  readonly callerOf?: ((request: Request) => string | undefined) | undefined
  /** Hidden fields that the sign-out form of "Not you?" needs besides `rt` (a CSRF token, say). */
  readonly signOutFields?: ((user: SignedIn) => Promise<Readonly<Record<string, string>>>) | undefined
}

/** An endpoint before it is wrapped by `lib/http/endpoint`. It answers every method itself. */
export type Handle = (request: Request, exchange: Exchange) => Promise<Response>

/** The authorization server and the resource server's half of it, bound. */
export interface OAuth {
  readonly protectedResourceMetadata: Handle
  readonly authorizationServerMetadata: Handle
  readonly openidConfiguration: Handle
  readonly jwks: Handle
  readonly register: Handle
  readonly authorize: Handle
  readonly consent: Handle
  readonly token: Handle
  /**
   * Verifies the bearer token of a call, without the store.
   *
   * @throws StoreUnavailable on a cold instance that cannot get the signing keys
   */
  readBearer(request: Request): Promise<Result<CallClaims, BearerRefusal>>
  /** Ends the grant of an access or refresh token that its own client hands back (RFC 7009). */
  readonly revoke: Handle
  /** What else a token depends on, for the one request of a call: `decide` is given the answers in order. */
  standingCheck(claims: CallClaims): {
    readonly operations: readonly Extract<Operation, { kind: 'get' }>[]
    decide(answers: readonly (string | null)[]): Promise<boolean>
  }
  /** Whether the grant of a token stands. */
  grantCheck(claims: CallClaims): Check<'get', AdmittedGrant, 'grant_ended'>
  /** After the answer of a call: marks its generation as used (once) and when (at most once a minute). Never throws. */
  noteUse(claims: CallClaims, grant: AdmittedGrant): Promise<void>
  challenge(refusal: CallRefusal): Challenge
  /** The connections of an account, newest first. */
  listGrants(accountId: string): Promise<readonly GrantSummary[]>
  /** Ends a connection, effective on the next call. `false` when the account has no such connection. */
  endGrant(which: {
    readonly accountId: string
    readonly grantId: string
    /** A snake_case word for the audit log. */
    readonly why: string
  }): Promise<boolean>
  /**
   * Ends the connections of an account with the client of that key, or all and its personal access tokens.
   * Each has ended on the next call. Answers how many there were.
   */
  endGrantsOf(which: {
    readonly accountId: string
    readonly clientKey?: string | undefined
    /** A snake_case word for the audit log. */
    readonly why: string
  }): Promise<number>
  /** What an operator decides about clients, by client key; effective on the next call on every instance. */
  readonly clientStanding: {
    /** Ends all of its connections, for everybody, and refuses it from then on. */
    block(clientKey: string): Promise<void>
    /** Lets it be connected again. What ended stays ended. */
    unblock(clientKey: string): Promise<void>
    /** Ends all of its connections, for everybody. It may be connected again. */
    endConnections(clientKey: string): Promise<void>
    isBlocked(clientKey: string): Promise<boolean>
  }
  /** Apps that the operator registers. */
  readonly staticClients: StaticClients
  readonly signingKeys: Pick<SigningKeySet, 'rotate' | 'replace' | 'list'>
  /** Lives of a personal access token to choose from, in days. */
  readonly personalTokenDays: readonly number[]
  /** Makes a personal access token. It is in this answer and nowhere else. */
  createPersonalToken(
    asked: PersonalTokenRequest & {
      readonly user: Pick<SignedIn, 'accountId' | 'epoch'>
      /** 22 base64url characters of the form: sent twice it makes one token. */
      readonly once: string
    },
  ): Promise<
    Result<
      { readonly token: string; readonly summary: PersonalTokenSummary },
      PersonalTokenFault | 'form_invalid' | 'too_many' | 'already_made'
    >
  >
  /** The personal access tokens of an account, newest first. */
  listPersonalTokens(accountId: string): Promise<readonly PersonalTokenSummary[]>
  /** Ends a personal access token, effective on the next call. `false` when the account has no such token. */
  endPersonalToken(which: {
    readonly accountId: string
    readonly grantId: string
    /** A snake_case word for the audit log. */
    readonly why: string
  }): Promise<boolean>
  /** Who is asking in a sealed authorization request; `undefined` when it is expired or not ours. */
  describeRequest(rt: string): Promise<{ readonly clientName: string } | undefined>
  /** Loads or creates the signing keys. */
  warmUp(): Promise<void>
}
