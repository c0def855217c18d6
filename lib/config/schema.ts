import { z } from 'zod'
import { CRON_SECRET_MIN_LENGTH, SETUP_CODE_MIN_LENGTH, STREAM_MAX_SECONDS } from '#lib/config/limits'
import { isLoopbackOrigin, originFault } from '#lib/config/origin'
import { secretFault } from '#lib/config/secret-strength'

/** A text that must have no fault; the fault is the message. */
const text = (faultOf: (value: string) => string | undefined) =>
  z
    .string()
    .superRefine((value, context) => {
      const fault = faultOf(value)
      if (fault) context.addIssue({ code: 'custom', message: fault })
    })
    .optional()

/** A list with commas or white space between; the fault of each member tells which one by its place. */
const list = (faultOf: (value: string) => string | undefined) =>
  z
    .string()
    .default('')
    .transform((value) => value.split(/[\s,]+/).filter((member) => member !== ''))
    .superRefine((members, context) => {
      members.forEach((member, index) => {
        const fault = faultOf(member)
        if (fault) context.addIssue({ code: 'custom', message: `entry ${index + 1} ${fault}` })
      })
    })

const whole = (least: number, most: number) => {
  const error = `must be a whole number from ${least} to ${most}`
  return z
    .string()
    .regex(/^\d{1,15}$/, { error, abort: true })
    .transform(Number)
    .refine((value) => value >= least && value <= most, { error })
}

const seconds = (least: number, most: number) => {
  const error = `must be a number of seconds from ${least} to ${most}`
  return z
    .string()
    .regex(/^\d{1,6}(\.\d{1,3})?$/, { error, abort: true })
    .transform(Number)
    .refine((value) => value >= least && value <= most, { error })
}

const yes = new Set(['true', '1', 'yes', 'on'])
const no = new Set(['false', '0', 'no', 'off'])

const flag = z
  .string()
  .toLowerCase()
  .refine((value) => yes.has(value) || no.has(value), { error: 'must be true or false' })
  .transform((value) => yes.has(value))
  .default(false)

const proxy = z
  .string()
  .regex(/^(none|vercel|hops:[1-9])$/, 'must be none, vercel, or hops:n with n from 1 to 9')
  .transform((value) => value as 'none' | 'vercel' | `hops:${number}`)
  .optional()

const YEAR_SECONDS = 31_536_000

/**
 * Each variable by itself: text in, setting out. Values arrive trimmed, empty ones not at all; every member
 * is optional here, and `env.ts` decides what must be there together.
 */
export const settingsSchema = z.object({
  PUBLIC_URL: text(originFault),
  PORT: whole(1, 65_535).default(3000),
  AUTH_SECRET: text(secretFault),
  AUTH_SECRETS_OLD: list(secretFault),
  UPSTASH_REDIS_REST_URL: text(restUrlFault),
  UPSTASH_REDIS_REST_TOKEN: z.string().optional(),
  KV_REST_API_URL: text(restUrlFault),
  KV_REST_API_TOKEN: z.string().optional(),
  REDIS_URL: text((value) =>
    /^rediss?:\/\/[^/]/.test(value) && URL.canParse(value)
      ? undefined
      : 'must be a redis:// or rediss:// address',
  ),
  DATA_DIR: z.string().optional(),
  KEY_PREFIX: z
    .string()
    .regex(
      /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
      'must be 1 to 64 letters, digits, dots, hyphens or underscores',
    )
    .default('gatehouse'),
  OWNER_SETUP_CODE: text(setupCodeFault),
  ALLOWED_ORIGINS: list((value) =>
    /^[a-z][a-z0-9+.-]*:\/\/[^/?#\s@*]+$/.test(value) && !isRewritten(value)
      ? undefined
      : 'must be an origin such as https://app.example, in lower case, without path, usual port or wildcard',
  ),
  ALLOWED_HOSTS: list((value) =>
    /^([a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\])(:\d{1,5})?$/.test(value)
      ? undefined
      : 'must be a host name such as app.example or app.example:8443, in lower case',
  ),
  TRUST_PROXY: proxy,
  STRICT_REDIRECTS: flag,
  CIMD_ALLOW: list(hostPatternFault),
  CIMD_BLOCK: list(hostPatternFault),
  CONSENT_MEMORY: flag,
  PASSKEY_RP_ID: text((value) =>
    /^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)*[a-z]([a-z0-9-]*[a-z0-9])?$/.test(value)
      ? undefined
      : 'must be a host name such as example.com, in lower case, without scheme, port or path',
  ),
  ACCESS_TOKEN_SECONDS: whole(1, 86_400).default(3600),
  CODE_SECONDS: whole(1, 600).default(60),
  REFRESH_GRACE_SECONDS: whole(0, 600).default(60),
  REFRESH_IDLE_SECONDS: whole(1, YEAR_SECONDS).default(30 * 86_400),
  REFRESH_MAX_SECONDS: whole(1, YEAR_SECONDS).default(90 * 86_400),
  RATE_LIMIT_PER_MINUTE: whole(1, 1_000_000).default(1200),
  STREAMS: z.enum(['live', 'nap', 'off'], 'must be live, nap or off').optional(),
  STREAM_MAX_SECONDS: seconds(0.5, 86_400).default(STREAM_MAX_SECONDS),
  SESSION_READOPT: flag.default(true),
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error'], 'must be debug, info, warn or error').default('info'),
  CRON_SECRET: text(cronSecretFault),
  GATEHOUSE_CONFORMANCE: flag,
  GATEHOUSE_POLL_ONLY: flag,
})

/** The variables, each by itself right. */
export type Settings = z.output<typeof settingsSchema>

function restUrlFault(value: string): string | undefined {
  if (!URL.canParse(value)) return 'is not a URL; copy it from the database page, it begins with https://'
  const { protocol, origin } = new URL(value)
  if (protocol === 'https:' || (protocol === 'http:' && isLoopbackOrigin(origin))) return undefined
  return 'must begin with https:// (the redis:// address of the same database belongs in REDIS_URL)'
}

function setupCodeFault(value: string): string | undefined {
  if (value.length < SETUP_CODE_MIN_LENGTH) return `must have at least ${SETUP_CODE_MIN_LENGTH} characters`
  return new Set(value).size < 6 ? 'repeats too few characters; use random ones' : undefined
}

/** It opens one door that does nothing secret; guessing it must still be out of the question. */
function cronSecretFault(value: string): string | undefined {
  if (value.length >= CRON_SECRET_MIN_LENGTH) return undefined
  return `must have at least ${CRON_SECRET_MIN_LENGTH} characters; make one with: openssl rand -hex 32`
}

/** `host.example`, `*.host.example` for the names under it, or `*` for every host. */
function hostPatternFault(value: string): string | undefined {
  const isPattern = /^(\*|(\*\.)?([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]*[a-z0-9])?)$/.test(
    value,
  )
  return isPattern ? undefined : 'must be a host name, *.host for the names under it, or *, in lower case'
}

/** A web origin that a browser would spell otherwise never matches. */
const isRewritten = (value: string): boolean =>
  /^https?:/.test(value) && (!URL.canParse(value) || new URL(value).origin !== value)
