/**
 * Ranges of IPv4 that are not the public internet: the special-purpose registry (RFC 6890), and addresses
 * that cloud platforms give their own services.
 */
const SPECIAL_V4 = [
  '0.0.0.0/8', // this network
  '10.0.0.0/8', // private
  '100.64.0.0/10', // shared by carriers
  '127.0.0.0/8', // loopback
  '168.63.129.16/32', // Azure's host
  '169.254.0.0/16', // link-local, and the metadata services of clouds
  '172.16.0.0/12', // private
  '192.0.0.0/24', // protocol assignments
  '192.0.2.0/24', // documentation
  '192.31.196.0/24', // AS112
  '192.52.193.0/24', // AMT
  '192.88.99.0/24', // 6to4 relays
  '192.168.0.0/16', // private
  '192.175.48.0/24', // AS112
  '198.18.0.0/15', // benchmarks
  '198.51.100.0/24', // documentation
  '203.0.113.0/24', // documentation
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, and broadcast
].map(readV4Range)

/**
 * Of IPv6 only global unicast is public at all, which leaves out loopback, link-local, unique local,
 * multicast, mapped and translated IPv4 (`::ffff:0:0/96`, `64:ff9b::/96`, `64:ff9b:1::/48`), `100::/64` and
 * `5f00::/16`.
 */
const GLOBAL_V6 = readV6Range('2000::/3')

/** Ranges within global unicast that are not the public internet, or that carry an IPv4 address. */
const SPECIAL_V6 = [
  '2001::/23', // protocol assignments: Teredo, ORCHID, benchmarks
  '2001:db8::/32', // documentation
  '2002::/16', // 6to4
  '2620:4f:8000::/48', // AS112
  '3fff::/20', // documentation
].map(readV6Range)

/** The interface identifier of ISATAP (RFC 5214 §6.1), which carries an IPv4 address in any network. */
const ISATAP = [0x0000_5efen, 0x0200_5efen]

/** An address and how many of its leading bits count. */
interface Range {
  readonly value: bigint
  readonly shift: bigint
}

/**
 * Whether an address is one of the public internet, where any server may send a request. Everything that is
 * not certainly public is not, also what cannot be read as an address.
 */
export function isPublicAddress(address: string): boolean {
  const v4 = readV4(address)
  if (v4 !== undefined) return !SPECIAL_V4.some((range) => isIn(v4, range))

  const v6 = readV6(address)
  if (v6 === undefined || !isIn(v6, GLOBAL_V6)) return false
  if (ISATAP.includes((v6 >> 32n) & 0xffff_ffffn)) return false
  return !SPECIAL_V6.some((range) => isIn(v6, range))
}

const isIn = (address: bigint, { value, shift }: Range) => address >> shift === value >> shift

/** Dotted decimal as resolvers write it; no leading zeros, which some read as octal. */
function readV4(text: string): bigint | undefined {
  const parts = text.split('.')
  const plain = parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part))
  if (!plain || parts.some((part) => Number(part) > 255)) return undefined
  return parts.reduce((value, part) => (value << 8n) | BigInt(part), 0n)
}

/** The text forms of RFC 4291 §2.2. An address with a zone (`%eth0`) is not read: it is never public. */
function readV6(text: string): bigint | undefined {
  const halves = withoutDotted(text)?.split('::') ?? []
  if (halves.length < 1 || halves.length > 2) return undefined

  const [head = [], tail = []] = halves.map((half) => (half === '' ? [] : half.split(':')))
  const missing = 8 - head.length - tail.length
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined

  const groups = [...head, ...Array.from({ length: missing }, () => '0'), ...tail]
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined
  return groups.reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n)
}

/** Writes an IPv4 address at the end as two groups. */
function withoutDotted(text: string): string | undefined {
  if (!text.includes('.')) return text
  const end = text.lastIndexOf(':') + 1
  const v4 = readV4(text.slice(end))
  if (end === 0 || v4 === undefined) return undefined
  return `${text.slice(0, end)}${(v4 >> 16n).toString(16)}:${(v4 & 0xffffn).toString(16)}`
}

function readV4Range(range: string): Range {
  return readRange(range, 32, readV4)
}

function readV6Range(range: string): Range {
  return readRange(range, 128, readV6)
}

function readRange(range: string, bits: number, read: (text: string) => bigint | undefined): Range {
  const [address = '', length = ''] = range.split('/')
  const value = read(address)
  if (value === undefined) throw new Error(`${range} is no range`)
  return { value, shift: BigInt(bits - Number(length)) }
}
