import { LIST_PAGE } from '#lib/config/limits'
import { sha256 } from '#lib/core/hash'
import { err, ok, type Result } from '#lib/core/result'
import type { StaticClient } from '#lib/oauth/client'
import { endedSoFar } from '#lib/oauth/client-standing'
import { changeStanding } from '#lib/oauth/endpoints/client-standing'
import type { OAuthDeps } from '#lib/oauth/endpoints/deps'
import {
  hasSecret,
  isStaticClientId,
  readStaticClient,
  STATIC_CLIENT_PREFIX,
  STATIC_SECRET_PREFIX,
  type StaticClientFault,
  type StaticClientRecord,
  type StaticClientRequest,
  staticClientRecord,
  toStaticClient,
  withSecret,
} from '#lib/oauth/static-client'
import { keys } from '#lib/store/keys'
import { del, get, range, rank, set, unrank } from '#lib/store/operations'
import { type Edit, editRecord, parseRecord, readRecord } from '#lib/store/record'

/** A static client as its operator sees it. Times in ms. */
export interface StaticClientSummary {
  readonly id: string
  readonly name: string
  readonly redirectUris: readonly string[]
  readonly authMethods: readonly string[]
  readonly scopes: readonly string[] | undefined
  /** When each good secret was made, the newest first. */
  readonly secretsSince: readonly number[]
  readonly createdAt: number
}

/** The apps that an operator registers. A secret is in the answer that made it and nowhere else. */
export interface StaticClients {
  create(
    asked: StaticClientRequest,
  ): Promise<Result<{ readonly id: string; readonly secret: string | undefined }, StaticClientFault>>
  /** The oldest first. */
  list(): Promise<readonly StaticClientSummary[]>
  /** Gives another secret. The one before stays good until the next rotation, unless `dropOld`. */
  rotate(
    id: string,
    how: { readonly dropOld: boolean },
  ): Promise<Result<{ readonly secret: string }, 'client_unknown' | 'client_without_secret'>>
  /** Forgets a client and ends all of its connections. `false`: there is none; what is left of one has ended. */
  remove(id: string): Promise<boolean>
}

/** Looks a static client up; what cannot be the id of one costs no request. */
export async function findStaticClient(
  { store }: Pick<OAuthDeps, 'store'>,
  id: string,
): Promise<StaticClient | undefined> {
  if (!isStaticClientId(id)) return undefined
  const record = await readRecord(store, keys.staticClient(id), staticClientRecord)
  return record && toStaticClient(record)
}

/** Binds the registry to its store. */
export function createStaticClients(deps: OAuthDeps): StaticClients {
  return {
    create: (asked) => create(deps, asked),
    list: () => list(deps),
    rotate: (id, how) => rotate(deps, id, how),
    remove: (id) => remove(deps, id),
  }
}

async function create(deps: OAuthDeps, asked: StaticClientRequest): ReturnType<StaticClients['create']> {
  const described = readStaticClient(asked, {
    scopes: deps.scopes.map((scope) => scope.name),
    strictRedirects: deps.settings.strictRedirects,
  })
  if (!described.ok) return described

  const id = `${STATIC_CLIENT_PREFIX}${deps.random(16)}`
  const createdAt = deps.clock()
  const secret = hasSecret(described.value) ? newSecret(deps) : undefined
  const secrets = secret === undefined ? [] : [{ hash: await sha256(secret), createdAt }]
  const record: StaticClientRecord = { ...described.value, v: 1, id, secrets, createdAt }
  await deps.store.batch(
    rank(keys.staticClients(), id, createdAt),
    set(keys.staticClient(id), JSON.stringify(record)),
  )
  await deps.audit({ event: 'client_created', clientKey: id })
  return ok({ id, secret })
}

async function list({ store }: OAuthDeps): Promise<readonly StaticClientSummary[]> {
  const found: StaticClientSummary[] = []
  for (let offset = 0; ; offset += LIST_PAGE) {
    const entries = await store.run(range(keys.staticClients(), { limit: LIST_PAGE, offset }))
    const texts = await store.batch(
      ...entries.map(({ member }) => get(keys.staticClient(member), { fresh: true })),
    )
    for (const text of texts) if (text !== null) found.push(summaryOf(parseRecord(staticClientRecord, text)))
    if (entries.length < LIST_PAGE) return found
  }
}

const summaryOf = ({ secrets, ...record }: StaticClientRecord): StaticClientSummary => ({
  id: record.id,
  name: record.name,
  redirectUris: record.redirectUris,
  authMethods: record.authMethods,
  scopes: record.scopes,
  secretsSince: secrets.map(({ createdAt }) => createdAt),
  createdAt: record.createdAt,
})

async function rotate(
  deps: OAuthDeps,
  id: string,
  how: { readonly dropOld: boolean },
): ReturnType<StaticClients['rotate']> {
  if (!isStaticClientId(id)) return err('client_unknown')
  const secret = newSecret(deps)
  const made = { hash: await sha256(secret), createdAt: deps.clock() }
  type Rotated = Awaited<ReturnType<StaticClients['rotate']>>
  const outcome = await editRecord(
    deps.store,
    { key: keys.staticClient(id), schema: staticClientRecord },
    (record): Edit<StaticClientRecord, Rotated> => {
      if (!record) return { leave: true, answer: err('client_unknown') }
      if (!hasSecret(record)) return { leave: true, answer: err('client_without_secret') }
      // Written before, and the reply was lost.
      if (record.secrets[0]?.hash === made.hash) return { leave: true, answer: ok({ secret }) }
      return { write: withSecret(record, made, how), answer: ok({ secret }) }
    },
  )
  if (outcome.ok) await deps.audit({ event: 'client_secret_made', clientKey: id })
  return outcome
}

/**
 * The record first: what was begun before is then made under the old epoch, and that ends second. Stopped
 * between the two, the same command finishes it.
 */
async function remove(deps: OAuthDeps, id: string): Promise<boolean> {
  if (!isStaticClientId(id)) return false
  const existed = (await deps.store.run(get(keys.staticClient(id), { fresh: true }))) !== null
  await deps.store.batch(del(keys.staticClient(id)), unrank(keys.staticClients(), id))
  await changeStanding(deps, id, {
    event: 'client_deleted',
    next: endedSoFar,
    // Ids are random and never come back.
    ttlMs: deps.settings.refreshMaxSeconds * 1000,
  })
  return existed
}

const newSecret = ({ random }: OAuthDeps) => `${STATIC_SECRET_PREFIX}${random(32)}`
