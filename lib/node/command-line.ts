import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'

import { readEndings } from '#lib/node/logged-endings'

/** A command for the server, as it was typed. */
export interface TypedCommand {
  readonly command: string
  readonly input: Readonly<Record<string, unknown>>
}

type Option = {
  readonly type: 'string' | 'boolean'
  readonly multiple?: true
  /** The member of the command's input. */
  readonly as: string
}

interface Spelling {
  readonly options: Readonly<Record<string, Option>>
  /** The member of the input that the one word after the command is. */
  readonly word?: string
}

const text = (as: string): Option => ({ type: 'string', as })
const plain: Spelling = { options: {} }

const spellings: Readonly<Record<string, Spelling>> = {
  'client create': {
    options: {
      name: text('name'),
      redirect: { type: 'string', multiple: true, as: 'redirect' },
      auth: text('auth'),
      jwks: text('jwks'),
      'jwks-uri': text('jwksUri'),
      scope: text('scope'),
    },
  },
  'client list': plain,
  'client rotate': { options: { 'drop-old': { type: 'boolean', as: 'dropOld' } }, word: 'id' },
  'client delete': { options: {}, word: 'id' },
  'client block': { options: {}, word: 'key' },
  'client unblock': { options: {}, word: 'key' },
  'person list': plain,
  'person block': { options: {}, word: 'name' },
  'person unblock': { options: {}, word: 'name' },
  'person sign-out': { options: {}, word: 'name' },
  'connections list': { options: { person: text('person') } },
  'connections end': {
    options: {
      person: text('person'),
      client: text('client'),
      all: { type: 'boolean', as: 'all' },
      'from-log': text('fromLog'),
      since: text('since'),
    },
  },
  'sessions list': { options: { person: text('person') } },
  'sessions stats': plain,
  'keys list': plain,
  'keys rotate': plain,
  'keys emergency': plain,
}

/**
 * Reads a command that needs the store, such as `client rotate ID --drop-old`.
 *
 * @returns `undefined` when it is none, or spelled wrong
 * @throws Error when the file of `--jwks` cannot be read or is not JSON
 */
export function readCommandLine(args: readonly string[]): TypedCommand | undefined {
  const [group = '', verb = '', ...rest] = args
  const spelling = spellings[`${group} ${verb}`]
  const parsed = spelling && parse(rest, spelling)
  if (!parsed) return undefined
  const { jwks, fromLog, since, ...input } = parsed
  if (fromLog !== undefined || since !== undefined) return endingsCommand(fromLog, since, input)
  const keys = typeof jwks === 'string' ? { jwks: JSON.parse(readFileSync(jwks, 'utf8')) } : {}
  return { command: `${group}-${verb}`, input: { ...input, ...keys } }
}

/** Ending again what a log says has ended: nothing else is said, and since when is. */
function endingsCommand(
  fromLog: unknown,
  since: unknown,
  input: Readonly<Record<string, unknown>>,
): TypedCommand | undefined {
  const sinceMs = typeof since === 'string' ? Date.parse(since) : Number.NaN
  if (typeof fromLog !== 'string' || Number.isNaN(sinceMs) || Object.keys(input).length > 0) return undefined
  return { command: 'connections-end-logged', input: { endings: readEndings(fromLog, sinceMs) } }
}

function parse(
  args: readonly string[],
  { options, word }: Spelling,
): Readonly<Record<string, unknown>> | undefined {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options,
      allowPositionals: word !== undefined,
    })
    if (positionals.length !== (word === undefined ? 0 : 1)) return undefined
    const named = Object.entries(values).map(([name, value]) => [options[name]?.as ?? name, value])
    return { ...Object.fromEntries(named), ...(word === undefined ? {} : { [word]: positionals[0] }) }
  } catch {
    return undefined
  }
}
