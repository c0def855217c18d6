/** Whether a host name means this machine: `localhost`, a name under it, 127.0.0.0/8 or `[::1]`. */
function isLoopbackHost(hostname: string): boolean {
  return (
    hostname === 'localhost' ||
    hostname.endsWith('.localhost') ||
    hostname === '[::1]' ||
    /^127(\.\d{1,3}){3}$/.test(hostname)
  )
}

/** Whether an origin means this machine. */
export const isLoopbackOrigin = (origin: string): boolean =>
  URL.canParse(origin) && isLoopbackHost(new URL(origin).hostname)

/** Why a text is no origin that we can be reached at, or `undefined`. */
export function originFault(text: string): string | undefined {
  if (!URL.canParse(text)) return 'is not a URL; write an origin such as https://gatehouse.example'
  const { protocol, hostname, origin } = new URL(text)
  if (protocol !== 'https:' && protocol !== 'http:') return 'must begin with https://'
  if (protocol === 'http:' && !isLoopbackHost(hostname)) {
    return 'must begin with https:// (http is for this machine alone)'
  }
  if (origin !== text) {
    return `must be an origin alone, in lower case, without path, trailing slash or usual port; write it as the browser's address bar would, such as https://gatehouse.example`
  }
  return undefined
}

/**
 * The relying party id of passkeys for an origin (WebAuthn §5.4.2): its host name, or one that is given and is
 * a domain above it. `undefined` where there can be none: an IP address has no domain.
 */
export function relyingPartyId(origin: string, given: string | undefined): string | undefined {
  const { hostname } = new URL(origin)
  if (/^[\d.]+$|^\[/.test(hostname)) return undefined
  if (given === undefined || given === hostname) return hostname
  return hostname.endsWith(`.${given}`) && given.includes('.') ? given : undefined
}
