import { z } from 'zod'
import { BROWSER_SESSION_IDLE_MS, BROWSER_SESSION_MAX_MS } from '#lib/config/limits'
import { sha256 } from '#lib/core/hash'
import type { SignedIn } from '#lib/core/signed-in'
import { cookie, cookieName, readCookie } from '#lib/http/cookies'
import { type Account, accountSchema, admitsSession, roleOf } from '#lib/identity/account'
import type { IdentityDeps } from '#lib/identity/deps'
import { keys } from '#lib/store/keys'
import { del, get, set } from '#lib/store/operations'
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
})

type BrowserSession = z.output<typeof browserSessionSchema>

/** 256 random bits as base64url; anything else in the cookie is not looked up. */
const ID_BYTES = 32
const isId = (text: string) => /^[\w-]{43}$/.test(text)

/** Browser sessions: 12 hours after the last use, 7 days at most. */
export interface BrowserSessions {
  /**
   * Who a browser belongs to; slides the session's life.
   *
   * @throws StoreUnavailable when nobody can tell; the cookie must be kept
   */
  read(request: Request): Promise<SignedIn | undefined>
  /** Begins a session under a new id and ends the one this browser had; answers the `Set-Cookie` value. */
  begin(request: Request, account: Account): Promise<string>
  /** Ends a session; answers the `Set-Cookie` value that clears the cookie. */
  end(session: Pick<SignedIn, 'sessionHash'>): Promise<string>
}

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

    async begin(request, account) {
      const earlier = await hashOf(request)
      const id = random(ID_BYTES)
      const session: BrowserSession = {
        v: 1,
        accountId: account.id,
        epoch: account.epoch,
        sessionEpoch: account.sessionEpoch ?? 0,
        createdAt: clock(),
      }
      const key = keys.browserSession(await sha256(id))
      await store.run(set(key, JSON.stringify(session), { ttlMs: BROWSER_SESSION_IDLE_MS }))
      if (earlier !== undefined) await store.run(del(keys.browserSession(earlier)))
      return cookieOf(id, BROWSER_SESSION_MAX_MS / 1000)
    },

    async end({ sessionHash }) {
      await store.run(del(keys.browserSession(sessionHash)))
      return cookieOf('', 0)
    },
  }
}
