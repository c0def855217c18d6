import {
  PENDING_GRANT_MARGIN_MS,
  UNANSWERED_MAX,
  WITHDRAWAL_GIVE_UP_MS,
  WITHDRAWAL_PAUSE_MS,
} from '#lib/config/limits'
import type { OAuthDeps } from '#lib/oauth/endpoints/deps'
import { asConnection, type Grant, grantRecord } from '#lib/oauth/grant'
import { type Unanswered, withoutUnanswered } from '#lib/oauth/redemption'
import { keys } from '#lib/store/keys'
import { StoreUnavailable } from '#lib/store/port'
import { type Edit, editRecord } from '#lib/store/record'

/** Takes back redemptions that this instance answered with an outage (decision 0014). */
export interface Withdrawals {
  /** From now on, in the background, until it is done: the request gave no success and never will. */
  begin(unanswered: Unanswered): void
  /**
   * At once, what was begun for a grant: before another redemption looks at it. Costs nothing where nothing is.
   *
   * @throws StoreUnavailable
   */
  settle(grantId: string): Promise<void>
}

/** Makes the memory of an instance. It asks the store one question at a time, however much there is to do. */
export function createWithdrawals(deps: OAuthDeps): Withdrawals {
  const open = new Map<string, Unanswered>()
  let works = false

  async function takeBack(unanswered: Unanswered): Promise<void> {
    await withdraw(unanswered, deps)
    open.delete(unanswered.requestId)
  }

  async function work(): Promise<void> {
    while (open.size > 0) {
      await takeBackAll().catch((error: unknown) => {
        if (!(error instanceof StoreUnavailable)) forget(error)
      })
      if (open.size > 0) await deps.pause(WITHDRAWAL_PAUSE_MS)
    }
    works = false
  }

  async function takeBackAll(): Promise<void> {
    for (const unanswered of [...open.values()]) {
      if (deps.clock() < unanswered.codeExpiresAt + WITHDRAWAL_GIVE_UP_MS) await takeBack(unanswered)
      else open.delete(unanswered.requestId)
    }
  }

  /** A record that cannot be read will not become readable: it must not keep the others waiting. */
  function forget(error: unknown): void {
    const [first] = open.keys()
    if (first !== undefined) open.delete(first)
    const name = error instanceof Error ? error.name : 'unknown'
    deps.log('error', 'redemption_not_withdrawn', { requestId: first, error: name })
  }

  return {
    begin(unanswered) {
      const [oldest] = open.keys()
      if (open.size >= UNANSWERED_MAX && oldest !== undefined) open.delete(oldest)
      open.set(unanswered.requestId, unanswered)
      if (works) return
      works = true
      deps.afterAnswer(work())
    },
    async settle(grantId) {
      for (const unanswered of [...open.values()]) {
        if (unanswered.grantId === grantId) await takeBack(unanswered)
      }
    },
  }
}

async function withdraw(unanswered: Unanswered, { store, clock, log }: OAuthDeps): Promise<void> {
  const { grantId, requestId, codeExpiresAt } = unanswered
  const record = { key: keys.grant(grantId), schema: grantRecord }
  const withdrawn = await editRecord(store, record, (found): Edit<Grant, boolean> => {
    const now = clock()
    const next = withoutUnanswered(asConnection(found), unanswered, now)
    if (next === undefined) return { leave: true, answer: false }
    if (next === null) return { write: null, answer: true }
    const ttlMs = Math.max(1, codeExpiresAt + PENDING_GRANT_MARGIN_MS - now)
    return { write: next, ttlMs, answer: true }
  })
  if (withdrawn) log('warn', 'redemption_withdrawn', { requestId, grantId })
}
