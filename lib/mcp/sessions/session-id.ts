import type { ClientCapabilities } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { SESSION_ID_MAX_LENGTH, SESSION_ID_MS, SESSION_IDS_OPENED_MAX } from '#lib/config/limits'
import { createBoundedMap } from '#lib/core/bounded-map'
import { type Clock, toSeconds } from '#lib/core/clock'
import { equalInConstantTime, sha256 } from '#lib/core/hash'
import type { KeyRing } from '#lib/core/key-ring'
import type { LiveSession } from '#lib/mcp/sessions/session'

/** What an `Mcp-Session-Id` says: enough to serve the session on an instance whose store has lost it. */
export type SealedSession = Omit<LiveSession, 'level' | 'subscriptions' | 'clientKey'> & {
  /** Whether the session was opened by this app; to be asked once the caller is known. */
  belongsTo(clientKey: string): Promise<boolean>
}

/** v, sid, seconds of issue, revision, capability flags, client name, client version, hash of the client key. */
const PayloadSchema = z.tuple([
  z.literal(1),
  z.string().regex(/^[\w-]{22}$/),
  z.int(),
  z.string(),
  z.string(),
  z.string(),
  z.string(),
  z.string(),
])

const NAME_MAX_CHARACTERS = 40
const VERSION_MAX_CHARACTERS = 20
const KEY_HASH_CHARACTERS = 22

/** Seals and opens session ids. */
export interface SessionIds {
  /** At most `SESSION_ID_MAX_LENGTH` visible ASCII characters (2025-11-25, "Session Management"). */
  seal(session: Omit<LiveSession, 'level' | 'subscriptions'>): Promise<string>
  /** `undefined` for an id that is not ours, of another account, or older than `SESSION_ID_MS`. */
  open(sealed: string, accountId: string): Promise<SealedSession | undefined>
}

/**
 * Session ids that describe themselves. The account stands in the associated data: a foreign id does not
 * open, and there is no comparison to forget. An id that was opened is remembered for its account: it says the
 * same each time.
 */
export function createSessionIds(keyRing: KeyRing, clock: Clock): SessionIds {
  const opened = createBoundedMap<SealedSession>(SESSION_IDS_OPENED_MAX)

  async function unseal(sealed: string, accountId: string): Promise<SealedSession | undefined> {
    const text = await keyRing.open('mcp-session', sealed, accountId)
    if (text === undefined) return undefined
    const [, sid, issuedSeconds, revision, flags, name, version, hash] = PayloadSchema.parse(JSON.parse(text))
    return {
      sid,
      accountId,
      revision,
      client: { name, version },
      capabilities: capabilitiesOf(flags),
      issuedAt: issuedSeconds * 1000,
      belongsTo: sameKey(hash),
    }
  }

  return {
    async seal({ sid, accountId, clientKey, revision, client: said, capabilities, issuedAt }) {
      const client = shortened(said)
      const payload: z.infer<typeof PayloadSchema> = [
        1,
        sid,
        toSeconds(issuedAt),
        revision,
        flagsOf(capabilities),
        client.name,
        client.version,
        await keyHash(clientKey),
      ]
      return keyRing.seal('mcp-session', JSON.stringify(payload), accountId)
    },

    async open(sealed, accountId) {
      if (sealed.length > SESSION_ID_MAX_LENGTH) return undefined
      const place = JSON.stringify([accountId, sealed])
      const session = opened.get(place) ?? (await unseal(sealed, accountId))
      if (session === undefined || clock() - session.issuedAt > SESSION_ID_MS) return undefined
      opened.set(place, session)
      return session
    },
  }
}

/** Whether a client key has this hash; the one that had it is remembered. */
function sameKey(hash: string): SealedSession['belongsTo'] {
  let known: string | undefined
  return async (clientKey) => {
    if (clientKey === known) return true
    const same = equalInConstantTime(await keyHash(clientKey), hash)
    if (same) known = clientKey
    return same
  }
}

const keyHash = async (clientKey: string) => (await sha256(clientKey)).slice(0, KEY_HASH_CHARACTERS)

/** What a client calls itself, as it is kept: anybody may call themselves anything. */
export const shortened = ({ name, version }: LiveSession['client']): LiveSession['client'] => ({
  name: cut(name, NAME_MAX_CHARACTERS),
  version: cut(version, VERSION_MAX_CHARACTERS),
})

/** Control characters would be spelled with six bytes each. */
const cut = (text: string, most: number) => [...text.replace(/[\p{Cc}\p{Cs}]/gu, '')].slice(0, most).join('')

/** One letter a capability, as a client of the 2025 era declares them. */
const flags = {
  f: ({ elicitation }) => elicitation !== undefined && (!!elicitation.form || !elicitation.url),
  u: ({ elicitation }) => !!elicitation?.url,
  s: ({ sampling }) => sampling !== undefined,
  t: ({ sampling }) => !!sampling?.tools,
  c: ({ sampling }) => !!sampling?.context,
  r: ({ roots }) => roots !== undefined,
  l: ({ roots }) => roots?.listChanged === true,
} satisfies Record<string, (capabilities: ClientCapabilities) => boolean>

const flagsOf = (capabilities: ClientCapabilities): string =>
  Object.entries(flags)
    .filter(([, declared]) => declared(capabilities))
    .map(([flag]) => flag)
    .join('')

function capabilitiesOf(sealed: string): ClientCapabilities {
  const has = (flag: keyof typeof flags) => sealed.includes(flag)
  return {
    ...(has('f') || has('u')
      ? { elicitation: { ...(has('f') ? { form: {} } : {}), ...(has('u') ? { url: {} } : {}) } }
      : {}),
    ...(has('s')
      ? { sampling: { ...(has('t') ? { tools: {} } : {}), ...(has('c') ? { context: {} } : {}) } }
      : {}),
    ...(has('r') ? { roots: { listChanged: has('l') } } : {}),
  }
}
