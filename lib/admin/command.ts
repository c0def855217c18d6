import { z } from 'zod'
import { err, type Result } from '#lib/core/result'

/** What a command printed, line by line, or why nothing was done. */
export type CommandOutcome = Result<readonly string[], string>

interface Person {
  readonly id: string
  readonly name: string
  readonly role: string
  readonly state: string
}

type PersonOutcome = Promise<Result<Person, 'person_unknown' | 'owner_stays'>>

interface ListedConnection {
  readonly id: string
  readonly client: { readonly key: string; readonly name: string }
  /** ms */
  readonly createdAt: number
}

interface ListedClient {
  readonly id: string
  readonly name: string
  readonly redirectUris: readonly string[]
  readonly authMethods: readonly string[]
  readonly scopes: readonly string[] | undefined
  /** ms */
  readonly secretsSince: readonly number[]
}

interface ListedSession {
  readonly client: { readonly name: string; readonly version: string }
  readonly clientKey: string
  readonly revision: string
  /** ms, within an hour */
  readonly lastUsedAt: number
  /** A stream for notifications is open. */
  readonly listening: boolean
}

/** How often something happened to the sessions of one host and revision in an hour. */
export interface SessionStatistic {
  readonly what: string
  readonly host: string
  readonly revision: string
  readonly count: number
}

/** How an app proves who it is; `secret`: either way of sending one. */
export const authChoices = ['secret', 'basic', 'post', 'none', 'private_key_jwt'] as const

interface ClientRequest {
  readonly name: string
  readonly redirectUris: readonly string[]
  readonly auth: (typeof authChoices)[number]
  readonly jwks?: unknown
  readonly jwksUri?: string | undefined
  readonly scope?: string | undefined
}

/** `false`: the account has no such thing. */
type EndsOne = (which: {
  readonly accountId: string
  readonly grantId: string
  readonly why: string
}) => Promise<boolean>

/** What commands act on: the parts of the server as they offer it. */
export interface CommandDeps {
  readonly people: {
    list(): Promise<readonly Person[]>
    ids(): Promise<readonly string[]>
    find(who: string): Promise<Person | undefined>
    endConnections(accountId: string): PersonOutcome
    signOutEverywhere(accountId: string): PersonOutcome
    block(accountId: string): PersonOutcome
    unblock(accountId: string): PersonOutcome
  }
  readonly clients: {
    create(
      asked: ClientRequest,
    ): Promise<Result<{ readonly id: string; readonly secret: string | undefined }, string>>
    list(): Promise<readonly ListedClient[]>
    rotate(
      id: string,
      how: { readonly dropOld: boolean },
    ): Promise<Result<{ readonly secret: string }, 'client_unknown' | 'client_without_secret'>>
    remove(id: string): Promise<boolean>
  }
  readonly clientStanding: {
    block(clientKey: string): Promise<void>
    unblock(clientKey: string): Promise<void>
    endConnections(clientKey: string): Promise<void>
    isBlocked(clientKey: string): Promise<boolean>
  }
  readonly signingKeys: {
    /** `signsFrom` in ms. */
    rotate(): Promise<{ readonly published: boolean; readonly signsFrom: number }>
    replace(): Promise<void>
    list(): Promise<readonly { readonly kid: string; readonly state: string; readonly createdAt: number }[]>
  }
  /** Ends connections of one account; answers how many. */
  endGrantsOf(which: {
    readonly accountId: string
    readonly clientKey?: string | undefined
    readonly why: string
  }): Promise<number>
  listGrants(accountId: string): Promise<readonly ListedConnection[]>
  readonly sessions: {
    list(accountId: string): Promise<readonly ListedSession[]>
    statistics(): Promise<{
      readonly streams: number
      readonly instances: number
      readonly thisHour: readonly SessionStatistic[]
      readonly lastHour: readonly SessionStatistic[]
    }>
  }
  endGrant: EndsOne
  endPersonalToken: EndsOne
}

/** One command: what it takes, not yet believed, and what it does. */
export type Command = (input: unknown, deps: CommandDeps) => Promise<CommandOutcome>

/** Makes a command of its schema and of what it does with what was read. */
export const command =
  <Schema extends z.ZodType>(
    schema: Schema,
    act: (input: z.output<Schema>, deps: CommandDeps) => Promise<CommandOutcome>,
  ): Command =>
  async (input, deps) => {
    const read = schema.safeParse(input)
    return read.success ? act(read.data, deps) : err(z.prettifyError(read.error))
  }

/** A day, as lists show it. */
export const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10)
