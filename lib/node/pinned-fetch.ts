import { promises as dns, type LookupAddress } from 'node:dns'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import type { Socket } from 'node:net'
import {
  CLIENT_DOCUMENT_CONNECT_MS,
  CLIENT_DOCUMENT_HEADERS_MAX_BYTES,
  CLIENT_DOCUMENT_TIMEOUT_MS,
} from '#lib/config/limits'
import { VERSION } from '#lib/config/version'
import { err, ok, type Result } from '#lib/core/result'
import { readClientIdUrl } from '#lib/oauth/client-id-url'
import type { FetchDocument, FetchedDocument, FetchFault } from '#lib/oauth/fetch-document'
import { isPublicAddress } from '#lib/oauth/special-addresses'

/** What tests replace to serve documents themselves; the way through the code stays the same. */
export interface PinnedFetchOptions {
  readonly lookup?: (host: string) => Promise<readonly LookupAddress[]>
  /** Certificate authority instead of the system's. */
  readonly ca?: string
  /** Instead of 443. */
  readonly port?: number
  readonly isAllowedAddress?: (address: string) => boolean
}

type Settings = Required<Omit<PinnedFetchOptions, 'ca'>> & Pick<PinnedFetchOptions, 'ca'>
type Fetched = Result<FetchedDocument, FetchFault>

const HTTPS_PORT = 443

const systemLookup = (host: string) => dns.lookup(host, { all: true, order: 'verbatim' })

/**
 * Makes the fetcher of documents that strangers name (OAUTH.md §1.14): https on port 443 of a named public
 * host; one look-up of which every answer must be public; the connection goes to a checked address and to no
 * other, while certificate and `Host` are those of the name; no redirect, cookie, credential or compression;
 * a bounded answer within 3 seconds. Never throws.
 */
export function createPinnedFetch(options: PinnedFetchOptions = {}): FetchDocument {
  const settings: Settings = {
    lookup: systemLookup,
    port: HTTPS_PORT,
    isAllowedAddress: isPublicAddress,
    ...options,
  }
  return async (url, { maxBytes }) => {
    const target = readTarget(url)
    if (!target) return err('address_refused')

    const deadline = AbortSignal.timeout(CLIENT_DOCUMENT_TIMEOUT_MS)
    const addresses = await resolve(target.hostname, settings, deadline)
    if (!addresses.ok) return addresses

    let fetched: Fetched = err('unreachable')
    for (const address of addresses.value) {
      fetched = await ask(target, address, { settings, maxBytes, deadline })
      // Another address of the same host is tried only when this one did not answer at all.
      if (fetched.ok || fetched.error !== 'unreachable') return fetched
    }
    return fetched
  }
}

function readTarget(url: string): URL | undefined {
  if (!readClientIdUrl(url)) return undefined
  const target = new URL(url)
  return target.port === '' ? target : undefined
}

/** The only question to the name server: the first address of each family, if all answers are public. */
async function resolve(
  host: string,
  { lookup, isAllowedAddress }: Settings,
  deadline: AbortSignal,
): Promise<Result<readonly LookupAddress[], FetchFault>> {
  try {
    const answers = await Promise.race([lookup(host), rejectAt(deadline)])
    if (answers.length === 0) return err('unreachable')
    if (!answers.every(({ address }) => isAllowedAddress(address))) return err('address_not_public')
    const first = (family: number) => answers.findIndex((answer) => answer.family === family)
    return ok(answers.filter(({ family }, index) => first(family) === index))
  } catch {
    return err(deadline.aborted ? 'timed_out' : 'unreachable')
  }
}

const rejectAt = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => {
    const late = () => reject(new Error('too late'))
    if (signal.aborted) late()
    else signal.addEventListener('abort', late, { once: true })
  })

interface Attempt {
  readonly settings: Settings
  readonly maxBytes: number
  readonly deadline: AbortSignal
}

/** One request to one address. Whatever happens, the connection is closed at the end. */
function ask(target: URL, { address, family }: LookupAddress, attempt: Attempt): Promise<Fetched> {
  const { settings, deadline, maxBytes } = attempt
  const call = request({
    host: address,
    family,
    port: settings.port,
    servername: target.hostname,
    path: `${target.pathname}${target.search}`,
    method: 'GET',
    headers: {
      Host: target.hostname,
      Accept: 'application/json',
      'Accept-Encoding': 'identity',
      'User-Agent': `Gatehouse/${VERSION} (OAuth client id metadata)`,
    },
    agent: false,
    ...(settings.ca === undefined ? {} : { ca: settings.ca }),
    // Also where the process was told to trust everybody.
    rejectUnauthorized: true,
    maxHeaderSize: CLIENT_DOCUMENT_HEADERS_MAX_BYTES,
    signal: deadline,
  })
  return new Promise<Fetched>((settle) => {
    call.on('socket', (socket) => watch(socket, { address, settings, settle }))
    call.on('error', () => settle(err(deadline.aborted ? 'timed_out' : 'unreachable')))
    call.on('upgrade', () => settle(err('status_unexpected')))
    call.on('response', (response) => {
      void readResponse(response, { maxBytes, deadline }).then(settle)
    })
    call.end()
  }).finally(() => call.destroy())
}

/** The address was checked before; here it is checked that it is the one that was reached. */
function watch(
  socket: Socket,
  scene: {
    readonly address: string
    readonly settings: Settings
    readonly settle: (fetched: Fetched) => void
  },
): void {
  const { address, settings, settle } = scene
  const slow = setTimeout(() => settle(err('unreachable')), CLIENT_DOCUMENT_CONNECT_MS)
  socket.once('close', () => clearTimeout(slow))
  socket.once('connect', () => {
    clearTimeout(slow)
    const reached = socket.remoteAddress ?? ''
    if (reached !== address || !settings.isAllowedAddress(reached)) settle(err('address_not_public'))
  })
}

async function readResponse(
  response: IncomingMessage,
  { maxBytes, deadline }: Pick<Attempt, 'maxBytes' | 'deadline'>,
): Promise<Fetched> {
  const fault = faultOf(response, maxBytes)
  if (fault) return err(fault)

  const body = await readBody(response, maxBytes).catch(() => undefined)
  if (body === 'too_large') return err('too_large')
  // A connection that was cut looks like an end, but the message is then not complete.
  if (!body || !response.complete) return err(deadline.aborted ? 'timed_out' : 'cut_off')

  const header = (name: string) => [response.headers[name] ?? null].flat().join(', ') || null
  return ok({
    body,
    contentType: header('content-type'),
    cacheControl: header('cache-control'),
    expires: header('expires'),
    age: header('age'),
  })
}

function faultOf({ statusCode, headers }: IncomingMessage, maxBytes: number): FetchFault | undefined {
  if (statusCode === 404 || statusCode === 410) return 'not_found'
  if (statusCode !== 200) return 'status_unexpected'
  if ((headers['content-encoding'] ?? 'identity') !== 'identity') return 'encoded'
  return Number(headers['content-length'] ?? 0) > maxBytes ? 'too_large' : undefined
}

async function readBody(response: IncomingMessage, maxBytes: number): Promise<Uint8Array | 'too_large'> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response as AsyncIterable<Uint8Array>) {
    size += chunk.length
    if (size > maxBytes) return 'too_large'
    chunks.push(chunk)
  }
  const body = new Uint8Array(size)
  let at = 0
  for (const chunk of chunks) {
    body.set(chunk, at)
    at += chunk.length
  }
  return body
}
