import { RUN_LEASE_MS, RUN_TRIES_MAX } from '#lib/config/limits'
import type { Called, Chaos, Death, Said } from '#test/support/session-chaos'
import type { SessionClient } from '#test/support/session-clients'
import type { WireEvent } from '#test/support/wire-tap'

/** What came of it, for people to read; `faults` must be empty. */
export interface Verdict {
  readonly kills: number
  readonly calls: number
  readonly results: number
  /** Ended with an error that says that the instance was lost. */
  readonly lost: number
  /** No header had come back when the instance died. */
  readonly transportErrors: number
  /** 2026-07-28 has no way to take up a stream that broke. */
  readonly brokenStreams: number
  readonly answersSentAgain: number
  readonly saidAndHeard: readonly [said: number, heard: number]
  /** The longest that the machine kept the test itself waiting. */
  readonly lagMs: number
  readonly faults: readonly string[]
}

/** A call may end this long after the lease of its run has. */
const MARGIN_MS = 2000
/** What is younger than this when its instance is gone may be lost. */
const UNSAFE_MS = 150

/**
 * Judges what clients saw by event id and by the logs of the instances: nothing twice, nothing out of order,
 * nothing lost that was old enough, and every call ended in time.
 */
export function judge(chaos: Chaos): Verdict {
  const faults: string[] = []
  const outcomes = chaos.calls.map((call) => ({ call, outcome: outcomeOf(call, chaos, faults) }))
  for (const client of chaos.clients) judgeIds(client, faults)
  const excused = new Set(
    outcomes
      .filter(({ outcome }) => outcome === 'transport' || outcome === 'broken')
      .map(({ call }) => call.mark),
  )
  const heard = judgeSaid(chaos, { excused, faults })
  const suspects = chaos.calls.filter(({ mark }) =>
    faults.some((fault) => new RegExp(`\\b${mark}[ :]`).test(fault)),
  )
  for (const call of suspects.slice(0, STORIES)) faults.push(storyOf(call, chaos))
  const count = (outcome: Outcome) => outcomes.filter((one) => one.outcome === outcome).length
  return {
    kills: chaos.deaths.length,
    calls: chaos.calls.length,
    results: count('result'),
    lost: count('lost'),
    transportErrors: count('transport'),
    brokenStreams: count('broken'),
    answersSentAgain: chaos.clients.reduce((sum, { tap }) => sum + tap.answersSentAgain, 0),
    saidAndHeard: [chaos.said.length, heard],
    lagMs: Math.max(...chaos.lags.map(({ ms }) => ms)),
    faults,
  }
}

/** How many calls are told in full when something is wrong. */
const STORIES = 3

/** Everything known about one call, in milliseconds since it began. */
function storyOf(call: Called, { said, deaths }: Chaos): string {
  const { mark, from, to, client } = call
  const lines: (readonly [at: number, what: string])[] = [
    ...deaths.map((death) => [death.at, `instance ${death.instance} gets its signal`] as const),
    ...deaths.map((death) => [death.goneAt, `instance ${death.instance} is gone`] as const),
    ...said
      .filter((one) => one.mark === mark)
      .map((one) => [one.at, `instance ${one.instance} says ${one.n} in ${one.run}`] as const),
    ...client.tap.exchanges.map(
      ({ at, method, sent, lastEventId, status, failure }) =>
        [at, `${method} ${sent?.method ?? lastEventId ?? ''} -> ${status ?? ''} ${failure ?? ''}`] as const,
    ),
    ...client.tap.events.map(
      (event) => [event.at, `${event.id} ${JSON.stringify(event.message)?.slice(0, 150)}`] as const,
    ),
  ]
  const during = lines.filter(([at]) => at >= from - 1000 && at <= to + 1000).sort(([a], [b]) => a - b)
  const told = during.map(([at, what]) => `${at - from} ${what}`).join('\n  ')
  return `${client.kind} ${call.tool} ${mark}, ${to - from} ms:\n  ${told}`
}

type Outcome = 'result' | 'lost' | 'transport' | 'broken' | 'wrong'

function outcomeOf(call: Called, { deaths, lags }: Chaos, faults: string[]): Outcome {
  const fault = (what: string): Outcome => {
    faults.push(`${call.client.kind} ${call.tool} ${call.mark}: ${what}`)
    return 'wrong'
  }
  const sent = sentWith(call)
  // Headers alone give a client nothing to come back with: for it the request broke.
  const nothingCame =
    sent?.failure !== undefined && !call.client.tap.events.some(({ exchange }) => exchange === sent)
  if (
    call.text === undefined &&
    nothingCame &&
    deaths.some(({ at }) => at > call.from - MARGIN_MS && at < call.to)
  ) {
    return call.client.kind === 'v2 auto' ? 'broken' : 'transport'
  }
  const killed = deaths.filter(({ at }) => at > call.from - MARGIN_MS && at < call.to)
  const late = call.to - Math.max(call.from, ...killed.map(({ goneAt }) => goneAt))
  // One that was run again takes its time once more.
  const waited = lags.filter(({ at }) => at > call.to - late && at < call.to)
  const allowed = RUN_LEASE_MS + MARGIN_MS + call.durationMs + waited.reduce((sum, { ms }) => sum + ms, 0)
  if (late > allowed) return fault(`ended after ${late} ms, ${allowed} ms are allowed: ${call.error}`)
  if (call.text === call.expected) return 'result'
  if (call.text !== undefined) return fault(`gave "${call.text}" for "${call.expected}"`)
  if (killed.length === 0) return fault(`failed without a kill: ${call.error}`)

  if (!sent || sent.status === undefined || sent.status === 502) return 'transport'
  if (call.client.kind === 'v2 auto') return 'broken'
  // A call that only reads is run again, once.
  const mayBeLost = call.tool !== 'gatehouse_steps_again' || killed.length >= RUN_TRIES_MAX
  return mayBeLost && /instance .* stopped/.test(call.error ?? '')
    ? 'lost'
    : fault(`failed with "${call.error}"`)
}

/** The request of a call: the last one, since a library may have asked more than once. */
const sentWith = ({ client, mark }: Called) =>
  client.tap.exchanges.findLast(({ sent }) => sent?.method === 'tools/call' && markOf(sent) === mark)

const markOf = ({ params }: { params?: Readonly<Record<string, unknown>> }) =>
  (params?.['arguments'] as { mark?: string } | undefined)?.mark

/** Each message once, and the ids of each stream only grow. */
export function judgeIds({ kind, tap }: SessionClient, faults: string[]): void {
  if (kind === 'v2 auto') return
  const seen = new Set<string>()
  const last = new Map<string, readonly number[]>()
  for (const { id, message } of tap.events) {
    if (!message) continue
    if (id === undefined) {
      // For a client that may have missed something, ahead of everything that has a place.
      if (message.method?.endsWith('/list_changed')) continue
      faults.push(`${kind}: an event without an id: ${JSON.stringify(message).slice(0, 200)}`)
      continue
    }
    if (seen.has(id)) faults.push(`${kind}: ${id} came twice`)
    seen.add(id)
    const [, stream = '', ...place] = /^(.*)_(\d+)-(\d+)$/.exec(id) ?? []
    const now = place.map(Number)
    if (!isAfter(now, last.get(stream) ?? [0, 0])) faults.push(`${kind}: ${id} is out of order`)
    last.set(stream, now)
  }
}

const isAfter = ([a = 0, b = 0]: readonly number[], [c = 0, d = 0]: readonly number[]) =>
  a > c || (a === c && b > d)

/** What an event carries of the fixture. */
export function saidIn({ message }: WireEvent): Omit<Said, 'instance'> | undefined {
  const { data, message: progress } = (message?.params ?? {}) as { data?: unknown; message?: string }
  const said = message?.method === 'notifications/progress' && progress ? JSON.parse(progress) : data
  return said && typeof said === 'object' && 'mark' in said ? (said as Said) : undefined
}

/** Gives how many of them were heard. */
function judgeSaid(
  chaos: Chaos,
  { excused, faults }: { readonly excused: ReadonlySet<string>; readonly faults: string[] },
): number {
  const { clients, calls, said, deaths } = chaos
  const heard = new Map<string, number>()
  for (const client of clients) {
    const last = new Map<string, number>()
    for (const event of client.tap.events) {
      const one = saidIn(event)
      if (!one) continue
      const key = `${one.mark} ${one.run}`
      heard.set(`${key} ${one.n}`, (heard.get(`${key} ${one.n}`) ?? 0) + 1)
      if (one.n <= (last.get(key) ?? 0)) faults.push(`${client.kind}: ${key} said ${one.n} out of order`)
      last.set(key, one.n)
    }
  }
  const missing = new Map<string, Said[]>()
  for (const one of said) {
    const times = heard.get(`${one.mark} ${one.run} ${one.n}`) ?? 0
    if (times > 1) faults.push(`${one.mark}: ${one.n} was heard ${times} times`)
    if (times > 0 || excused.has(one.mark) || !mustBeHeard(one, chaos)) continue
    missing.set(one.mark, [...(missing.get(one.mark) ?? []), one])
  }
  for (const [mark, lost] of missing) {
    const call = calls.find((one) => one.mark === mark)
    const numbers = lost.map((one) => `${one.n}${nearest(one, deaths)}`).join(', ')
    faults.push(
      `${call?.client.kind} ${call?.tool} ${mark} (${call?.text ?? call?.error}): never heard ${numbers}`,
    )
  }
  return heard.size
}

/**
 * What was old enough when its instance was gone: killed at once, or 500 ms after it was asked to stop. A machine
 * that kept this very process waiting kept the instance waiting too.
 */
function mustBeHeard({ instance, at }: Said, { deaths, lags }: Chaos): boolean {
  const death = deaths.find((one) => one.instance === instance && one.goneAt >= at)
  if (!death) return true
  const lag = Math.max(0, ...lags.filter((one) => one.at > at && one.at <= death.goneAt).map(({ ms }) => ms))
  return at < death.killedAt - UNSAFE_MS - lag
}

function nearest({ instance, at }: Said, deaths: readonly Death[]): string {
  const death = deaths.find((one) => one.instance === instance && one.goneAt >= at)
  return death ? ` (${death.at - at} ms before the signal, ${death.goneAt - at} ms before the end)` : ''
}
