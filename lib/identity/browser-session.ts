import { z } from 'zod'
import {
  BROWSER_SESSION_IDLE_MS,
  BROWSER_SESSION_MAX_MS,
  BROWSER_SESSION_ORPHAN_MS,
  BROWSER_SESSIONS_LISTED_MAX,
} from '#lib/config/limits'
import { sha256 } from '#lib/core/hash'
import type { SignedIn } from '#lib/core/signed-in'
import { cookie, cookieName, readCookie } from '#lib/http/cookies'
import { type Account, accountSchema, admitsSession, roleOf } from '#lib/identity/account'
import { browserName } from '#lib/identity/browser-name'
import type { IdentityDeps } from '#lib/identity/deps'
import { keys } from '#lib/store/keys'
import { del, get, range, rank, set, unrank } from '#lib/store/operations'
import { parseRecord, readRecord } from '#lib/store/record'

/** One browser of one person, stored under the hash of its cookie. */
const browserSessionSchema = z.looseObject({
  v: z.literal(1),
  accountId: z.string(),
  /** The account's when the session began. Not looked at: connections end apart from browser sessions. */
  epoch: z.int(),
  /** The account's when the session began; absent: 0. */
  sessionEpoch: z.int().optional(),
  /** Milliseconds. */
  createdAt: z.int(),
  /** "Firefox on Windows"; absent in sessions of earlier releases, like the next. */
  browser: z.string().optional(),
  /** How the person signed in, as the audit log has it. */
  how: z.string().optional(),
})

type BrowserSession = z.output<typeof browserSessionSchema>

/** 256 random bits as base64url; anything else in the cookie is not looked up. */
const ID_BYTES = 32
const isId = (text: string) => /^[\w-]{43}$/.test(text)

/** A browser session as its person sees it. */
export interface ListedSession {
  /** The beginning of its hash: enough to name it among one's own, and nothing to sign in with. */
  readonly id: string
  readonly browser: string
  readonly how: string | undefined
  /** ms */
  readonly createdAt: number
  /** It is the one that asks. */
  readonly current: boolean
}

/** Browser sessions: 12 hours after the last use, 7 days at most. */
export interface BrowserSessions {
  /**
   * Who a browser belongs to; slides the session's life.
   *
   * @throws StoreUnavailable when nobody can tell; the cookie must be kept
   */
  read(request: Request): Promise<SignedIn | undefined>
  /** Begins a session under a new id and ends the one this browser had; answers the `Set-Cookie` value. */
  begin(request: Request, account: Account, how: string): Promise<string>
  /** Ends a session; answers the `Set-Cookie` value that clears the cookie. */
  end(session: Pick<SignedIn, 'sessionHash' | 'accountId'>): Promise<string>
  /** Those of one's own that live, the newest first. */
  list(user: SignedIn): Promise<readonly ListedSession[]>
  /** Ends one of one's own by its id, and answers which; `undefined` when there is none. */
  endOne(user: SignedIn, id: string): Promise<'this' | 'another' | undefined>
}

/** Of 43 characters: 96 bits. */
const LISTED_ID_LENGTH = 16
const listedId = (sessionHash: string) => sessionHash.slice(0, LISTED_ID_LENGTH)

type SessionDeps = Pick<IdentityDeps, 'store' | 'clock' | 'random' | 'secure'>

/** Makes the browser sessions of a store. */
export function createBrowserSessions({ store, clock, random, secure }: SessionDeps): BrowserSessions {
  const name = cookieName('session', secure)
  const cookieOf = (value: string, maxAgeSeconds: number) => cookie(name, value, { maxAgeSeconds, secure })

  async function hashOf(request: Request): Promise<string | undefined> {
    const id = readCookie(request, name)
    return id !== undefined && isId(id) ? sha256(id) : undefined
  }

  return {
    async read(request) {
      const sessionHash = await hashOf(request)
      if (sessionHash === undefined) return undefined
      const text = await store.run(
        get(keys.browserSession(sessionHash), { touchMs: BROWSER_SESSION_IDLE_MS }),
      )
      if (text === null) return undefined

      const session = parseRecord(browserSessionSchema, text)
      if (clock() - session.createdAt >= BROWSER_SESSION_MAX_MS) return undefined
      const account = await readRecord(store, keys.account(session.accountId), accountSchema)
      if (!admitsSession(account, session)) return undefined
      const { id: accountId, epoch } = account
      return { accountId, epoch, name: account.name, role: roleOf(account), sessionHash }
    },

    async begin(request, account, how) {
      const earlier = await hashOf(request)
      const id = random(ID_BYTES)
      const session: BrowserSession = {
        v: 1,
        accountId: account.id,
        epoch: account.epoch,
        sessionEpoch: account.sessionEpoch ?? 0,
        createdAt: clock(),
        browser: browserName(request.headers.get('user-agent')),
        how,
      }
      const sessionHash = await sha256(id)
      // The list first: no session must live that its person cannot see.
      await store.batch(
        rank(keys.browserSessionsOf(account.id), sessionHash, session.createdAt, BROWSER_SESSION_MAX_MS),
        set(keys.browserSession(sessionHash), JSON.stringify(session), { ttlMs: BROWSER_SESSION_IDLE_MS }),
      )
      if (earlier !== undefined) await store.run(del(keys.browserSession(earlier)))
      return cookieOf(id, BROWSER_SESSION_MAX_MS / 1000)
    },

    async end({ sessionHash, accountId }) {
      await forget(store, accountId, sessionHash)
      return cookieOf('', 0)
    },

    list: (user) => listSessions({ store, clock }, user),

    async endOne(user, id) {
      const entries = await indexOf({ store, clock }, user)
      const found = entries.find(({ member }) => listedId(member) === id)
      if (!found) return undefined
      await forget(store, user.accountId, found.member)
      return found.member === user.sessionHash ? 'this' : 'another'
    },
  }
}

const forget = (store: SessionDeps['store'], accountId: string, sessionHash: string) =>
  store.batch(del(keys.browserSession(sessionHash)), unrank(keys.browserSessionsOf(accountId), sessionHash))

/** The one that asks may have begun before sessions were listed. */
async function indexOf({ store, clock }: Pick<SessionDeps, 'store' | 'clock'>, user: SignedIn) {
  const entries = await store.run(
    range(keys.browserSessionsOf(user.accountId), {
      limit: BROWSER_SESSIONS_LISTED_MAX,
      highestFirst: true,
      dropBelow: clock() - BROWSER_SESSION_MAX_MS,
    }),
  )
  const listed = entries.some(({ member }) => member === user.sessionHash)
  return listed ? entries : [...entries, { member: user.sessionHash, score: clock() }]
}

/** Reads without sliding anything. What has ended leaves the list here. */
async function listSessions(
  deps: Pick<SessionDeps, 'store' | 'clock'>,
  user: SignedIn,
): Promise<readonly ListedSession[]> {
  const { store, clock } = deps
  const entries = await indexOf(deps, user)
  const [accountText, ...texts] = await store.batch(
    get(keys.account(user.accountId), { fresh: true }),
    ...entries.map(({ member }) => get(keys.browserSession(member), { fresh: true })),
  )
  const account = accountText === null ? undefined : parseRecord(accountSchema, accountText)
  const ended: string[] = []
  const listed = entries.flatMap(({ member, score }, place): readonly ListedSession[] => {
    const text = texts[place] ?? null
    const session = text === null ? undefined : parseRecord(browserSessionSchema, text)
    if (!session || session.accountId !== user.accountId || !admitsSession(account, session)) {
      // One that begins stands in the list before its record is there.
      if (clock() - score > BROWSER_SESSION_ORPHAN_MS) ended.push(member)
      return []
    }
    const { browser = 'A browser', how, createdAt } = session
    return [{ id: listedId(member), browser, how, createdAt, current: member === user.sessionHash }]
  })
  const index = keys.browserSessionsOf(user.accountId)
  if (ended.length > 0) await store.batch(...ended.map((hash) => unrank(index, hash)))
  return listed
}
