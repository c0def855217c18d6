import { z } from 'zod'
import { ADMIN_TOKEN_MS, USED_COMMAND_MS } from '#lib/config/limits'
import type { Clock } from '#lib/core/clock'
import { sha256 } from '#lib/core/hash'
import type { KeyRing } from '#lib/core/key-ring'
import type { Random } from '#lib/core/random'
import { keys } from '#lib/store/keys'
import { get, set } from '#lib/store/operations'
import type { Store } from '#lib/store/port'

const contentSchema = z.object({
  v: z.literal(1),
  jti: z.string().min(1).max(64),
  /** ms */
  exp: z.int(),
})

/** A command as it is sent: its name and its body, byte for byte. */
export interface SentCommand {
  readonly command: string
  readonly body: string
}

interface TokenDeps {
  readonly keyRing: KeyRing
  readonly clock: Clock
  readonly random: Random
}

/**
 * Makes the token of one command: sealed with `AUTH_SECRET`, good for 60 seconds, once, for this command with
 * this body and nothing else. Needs no store.
 */
export async function mintAdminToken(
  sent: SentCommand,
  { keyRing, clock, random }: TokenDeps,
): Promise<string> {
  const content: z.input<typeof contentSchema> = { v: 1, jti: random(16), exp: clock() + ADMIN_TOKEN_MS }
  return keyRing.seal('admin-command', JSON.stringify(content), await boundTo(sent))
}

/** Whether a token is good for a command, and no one used it before: of any number of callers one is told so. */
export async function consumeAdminToken(
  token: string,
  sent: SentCommand,
  { keyRing, clock, random, store }: TokenDeps & { readonly store: Store },
): Promise<boolean> {
  const text = await keyRing.open('admin-command', token, await boundTo(sent))
  const content = text === undefined ? undefined : contentSchema.safeParse(JSON.parse(text))
  if (!content?.success) return false
  const { jti, exp } = content.data
  const now = clock()
  // One that lives longer than any of ours was sealed by a clock that is far ahead: it could be kept.
  if (now >= exp || exp > now + 2 * ADMIN_TOKEN_MS) return false

  const mine = random(16)
  const key = keys.usedCommand(jti)
  if (await store.run(set(key, mine, { ifAbsent: true, ttlMs: USED_COMMAND_MS }))) return true
  // A lost reply makes the store's client write twice: then the mark is there and it is ours.
  return (await store.run(get(key, { fresh: true }))) === mine
}

const boundTo = async ({ command, body }: SentCommand) => `${command} ${await sha256(body)}`
