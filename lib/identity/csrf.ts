import type { KeyRing } from '#lib/core/key-ring'
import type { SignedIn } from '#lib/core/signed-in'

type Session = Pick<SignedIn, 'sessionHash'>

/** A token for one kind of form of one browser session: `kid.mac`. Nothing is stored. */
export async function csrfOf(keyRing: KeyRing, session: Session, purpose: string): Promise<string> {
  const { kid, mac } = await keyRing.sign('csrf', message(session, purpose))
  return `${kid}.${mac}`
}

/** Whether a form carried the token of this session and this purpose. */
export async function checkCsrf(
  keyRing: KeyRing,
  session: Session,
  { purpose, token }: { readonly purpose: string; readonly token: string | null | undefined },
): Promise<boolean> {
  const [kid = '', mac = '', ...rest] = (token ?? '').split('.')
  return rest.length === 0 && keyRing.verify('csrf', message(session, purpose), { kid, mac })
}

/** Base64url has no NUL, so no session and purpose can be read as another pair. */
const message = ({ sessionHash }: Session, purpose: string) => `${sessionHash}\0${purpose}`
