import { z } from 'zod'
import { SIGN_IN_LINK_MS, USED_LINK_MS } from '#lib/config/limits'
import { err, ok, type Result } from '#lib/core/result'
import type { IdentityDeps } from '#lib/identity/deps'
import { type MemberName, memberName, memberNameFaultText } from '#lib/identity/member-name'
import { keys } from '#lib/store/keys'
import { get, set } from '#lib/store/operations'

/** Why a link does not sign anyone in. */
export type LinkRefusal = 'unreadable' | 'expired' | 'used'

/** Whom a link signs in. */
type LinkHolder = { readonly kind: 'owner' } | { readonly kind: 'member'; readonly name: MemberName }

const contentSchema = z.object({
  v: z.literal(1),
  kind: z.enum(['owner', 'member']),
  name: z.string().optional(),
  jti: z.string().min(1).max(64),
  /** Milliseconds. */
  exp: z.int(),
})

/** A link that was made by this server and has not expired. */
export interface OpenedLink {
  readonly holder: LinkHolder
  readonly jti: string
}

type LinkDeps = Pick<IdentityDeps, 'origin' | 'keyRing' | 'clock' | 'random'>

/**
 * Makes a link that signs in once, for 15 minutes: the owner, or the person of that name. Needs no store. The
 * token stands in the fragment, which no browser sends and no proxy logs.
 *
 * @throws RangeError when the name cannot be given to a person; its message says why
 */
export async function mintSignInLink(
  { origin, keyRing, clock, random }: LinkDeps,
  { member }: { readonly member?: string | undefined },
): Promise<string> {
  const name = member === undefined ? undefined : memberName(member)
  if (name?.ok === false) throw new RangeError(memberNameFaultText[name.error])

  const content: z.input<typeof contentSchema> = {
    v: 1,
    ...(name ? { kind: 'member', name: name.value.shown } : { kind: 'owner' }),
    jti: random(16),
    exp: clock() + SIGN_IN_LINK_MS,
  }
  return `${origin}/sign-in/link#${await keyRing.seal('sign-in-link', JSON.stringify(content))}`
}

/** Opens what a person pasted: the token, or the whole link around it. Asks no store. */
export async function openSignInLink(
  { keyRing, clock }: Pick<LinkDeps, 'keyRing' | 'clock'>,
  pasted: string,
): Promise<Result<OpenedLink, 'unreadable' | 'expired'>> {
  const text = await keyRing.open('sign-in-link', tokenOf(pasted))
  if (text === undefined) return err('unreadable')

  // Another release of ours may have sealed what this one does not know.
  const content = contentSchema.safeParse(JSON.parse(text))
  const holder = content.success ? holderOf(content.data) : undefined
  if (!content.success || !holder) return err('unreadable')
  return clock() < content.data.exp ? ok({ holder, jti: content.data.jti }) : err('expired')
}

function holderOf({ kind, name = '' }: z.output<typeof contentSchema>): LinkHolder | undefined {
  if (kind === 'owner') return { kind }
  const read = memberName(name)
  return read.ok ? { kind, name: read.value } : undefined
}

/** Marks a link as used. Of any number of callers one is answered `true`. */
export async function consumeLink(
  { store, random }: Pick<IdentityDeps, 'store' | 'random'>,
  { jti }: OpenedLink,
): Promise<boolean> {
  const mine = random(16)
  const key = keys.usedLink(jti)
  if (await store.run(set(key, mine, { ifAbsent: true, ttlMs: USED_LINK_MS }))) return true
  // A lost reply makes the store's client write twice: then the mark is there and it is ours.
  return (await store.run(get(key, { fresh: true }))) === mine
}

/** White space comes from consoles that break long lines. */
function tokenOf(pasted: string): string {
  const text = pasted.replaceAll(/\s+/g, '')
  return text.slice(text.lastIndexOf('#') + 1)
}
