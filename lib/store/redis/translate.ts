import { tellsData } from '#lib/store/message'
import type { Answers, Appended, Entry, Operation, Swapped } from '#lib/store/port'
import { list, number, pairs, type Reply, resultOf, text, textOrNull } from '#lib/store/redis/replies'

/** A command with its arguments, as Redis 7.0 knows it. */
export type Command = readonly [name: string, ...parameters: string[]]

/** What an operation is in Redis: commands that follow each other, and how their replies answer it. */
export interface Translation<Answer = unknown> {
  readonly commands: readonly Command[]
  /** @throws BadReply when a command failed */
  answer(replies: readonly Reply[]): Answer
}

/** How the server wants its scripts. */
export interface Dialect {
  /** Upstash locks the whole database for a script, unless its first line promises to use only its keys. */
  readonly scriptHead: '' | '#!lua flags=allow-key-locking\n'
}

type Of<Kind extends Operation['kind']> = Extract<Operation, { kind: Kind }>
type Translators = {
  readonly [Kind in Operation['kind']]: (operation: Of<Kind>, dialect: Dialect) => Translation<Answers[Kind]>
}

/** Translates an operation into commands that any Redis from 7.0 on, Valkey and Upstash have. */
export function translate(operation: Operation, dialect: Dialect): Translation {
  const translator = translators[operation.kind] as (operation: Operation, dialect: Dialect) => Translation
  return translator(operation, dialect)
}

/**
 * ARGV: the expected value, what to do (`del`, `keep` the lifetime, or the new one in ms), the next value.
 * Answers {1} when done, else {0, the current value}. A repeated one that already won is answered its own
 * value: only the caller can tell whether that is a success.
 */
const SWAP_SCRIPT = `local current = redis.call('GET', KEYS[1])
if current ~= ARGV[1] then return {0, current} end
if ARGV[2] == 'del' then redis.call('DEL', KEYS[1])
elseif ARGV[2] == 'keep' then redis.call('SET', KEYS[1], ARGV[3], 'KEEPTTL')
else redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[2]) end
return {1}`

/**
 * ARGV: how many stay, the id or `*`, the data, the lifetime in ms or nothing, the channel, the log's name as a
 * JSON string, and whether the message carries the data (`1`). Answers what XADD answers, its refusal included;
 * the lifetime is renewed either way, as without a message. See ADR 0015.
 */
const APPEND_AND_TELL_SCRIPT = `local newest = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', '1')
local before = newest[1] and newest[1][1] or '0-0'
local added = redis.pcall('XADD', KEYS[1], 'MAXLEN', '=', ARGV[1], ARGV[2], 'd', ARGV[3])
if ARGV[4] ~= '' then redis.call('PEXPIRE', KEYS[1], ARGV[4]) end
if type(added) == 'table' then return added end
local data = ARGV[7] == '1' and ',"d":' .. cjson.encode(ARGV[3]) or ''
redis.call('PUBLISH', ARGV[5], '{"l":' .. ARGV[6] .. ',"i":"' .. added .. '","p":"' .. before .. '"' .. data .. '}')
return added`

/** Redis says so when a given id is not greater than the last one, or is 0-0. */
const STALE_ID = /XADD (?:is equal or smaller than|must be greater than)/

const translators: Translators = {
  // GETEX counts as a write, so the leader answers it; without options it leaves the lifetime alone.
  get: ({ key, fresh, touchMs }) => {
    const touch = touchMs === undefined ? [] : ['PX', String(touchMs)]
    const leader = fresh || touchMs !== undefined
    return one(leader ? ['GETEX', key, ...touch] : ['GET', key], textOrNull)
  },

  set: ({ key, value, ttlMs, ifAbsent }) => {
    const lifetime = ttlMs === undefined ? [] : ['PX', String(ttlMs)]
    return one(
      ['SET', key, value, ...lifetime, ...(ifAbsent ? ['NX'] : [])],
      (reply) => textOrNull(reply) !== null,
    )
  },

  take: ({ key }) => one(['GETDEL', key], textOrNull),

  swap: ({ key, expected, next, ttlMs }, { scriptHead }) => {
    const script = scriptHead + SWAP_SCRIPT
    const how = next === null ? 'del' : ttlMs === undefined ? 'keep' : String(ttlMs)
    return one(['EVAL', script, '1', key, expected, how, next ?? ''], swapped)
  },

  del: ({ keys }) => done(keys.length === 0 ? [] : [['DEL', ...keys]]),

  add: ({ key, by, ttlMs }) => {
    const fields = Object.entries(by)
    return {
      commands: [
        ...fields.map(([field, count]): Command => ['HINCRBY', key, field, String(count)]),
        ...lifetime(key, ttlMs, 'NX'),
      ],
      answer: (replies) => {
        replies.forEach(resultOf)
        return Object.fromEntries(fields.map(([field], index) => [field, number(resultOf(replies[index]))]))
      },
    }
  },

  sums: ({ key }) =>
    one(['HGETALL', key], (reply) =>
      Object.fromEntries(pairs(resultOf(reply)).map(([field, sum]) => [field, number(sum)])),
    ),

  append: (operation, { scriptHead }) => {
    const { log, data, id = '*', keep, ttlMs, tell } = operation
    if (tell) {
      const script = scriptHead + APPEND_AND_TELL_SCRIPT
      const told = [tell.channel, JSON.stringify(tell.log), tellsData(data) ? '1' : '0']
      const parameters = [String(keep), id, data, ttlMs === undefined ? '' : String(ttlMs), ...told]
      return one(['EVAL', script, '1', log, ...parameters], appended)
    }
    return {
      commands: [['XADD', log, 'MAXLEN', '=', String(keep), id, 'd', data], ...lifetime(log, ttlMs)],
      answer: ([added, ...rest]) => {
        rest.forEach(resultOf)
        return appended(added)
      },
    }
  },

  read: ({ log, after, before, limit, newestFirst }) => {
    const start = after === undefined ? '-' : `(${after}`
    // Nothing is before 0-0, and no entry has that id; Redis refuses it as an exclusive end.
    const end = before === undefined ? '+' : before === '0-0' ? '0-0' : `(${before}`
    const count = ['COUNT', String(limit)]
    return one(
      newestFirst ? ['XREVRANGE', log, end, start, ...count] : ['XRANGE', log, start, end, ...count],
      (reply) => list(resultOf(reply)).map(entry),
    )
  },

  rank: ({ index, member, score, ttlMs }) =>
    done([['ZADD', index, String(score), member], ...lifetime(index, ttlMs)]),

  unrank: ({ index, member }) => done([['ZREM', index, member]]),

  range: ({ index, min, max, offset = 0, limit, highestFirst, dropBelow }) => {
    const low = String(min ?? '-inf')
    const high = String(max ?? '+inf')
    const bounds = highestFirst ? [high, low, 'BYSCORE', 'REV'] : [low, high, 'BYSCORE']
    const page = ['LIMIT', String(offset), String(limit), 'WITHSCORES']
    const drop: Command[] =
      dropBelow === undefined ? [] : [['ZREMRANGEBYSCORE', index, '-inf', `(${dropBelow}`]]
    return {
      commands: [...drop, ['ZRANGE', index, ...bounds, ...page]],
      answer: (replies) => {
        replies.forEach(resultOf)
        const found = pairs(resultOf(replies.at(-1)))
        return found.map(([member, score]) => ({ member, score: number(score) }))
      },
    }
  },

  publish: ({ channel, message }) => done([['PUBLISH', channel, message]]),
}

function one<Answer>(command: Command, answer: (reply: Reply | undefined) => Answer): Translation<Answer> {
  return { commands: [command], answer: ([reply]) => answer(reply) }
}

/** Commands whose replies say nothing but that they worked. */
function done(commands: readonly Command[]): Translation<undefined> {
  return {
    commands,
    answer: (replies) => {
      replies.forEach(resultOf)
      return undefined
    },
  }
}

function lifetime(key: string, ttlMs: number | undefined, ...condition: 'NX'[]): Command[] {
  return ttlMs === undefined ? [] : [['PEXPIRE', key, String(ttlMs), ...condition]]
}

function swapped(reply: Reply | undefined): Swapped {
  const [won, current = null] = list(resultOf(reply))
  return number(won) === 1
    ? { done: true }
    : { done: false, current: current === null ? null : text(current) }
}

function appended(reply: Reply | undefined): Appended {
  if (reply && 'error' in reply && STALE_ID.test(reply.error)) return { stale: true }
  return { id: text(resultOf(reply)) }
}

function entry(reply: unknown): Entry {
  const [id, fields] = list(reply)
  return { id: text(id), data: text(list(fields)[1]) }
}
