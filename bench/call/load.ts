import { readFileSync } from 'node:fs'
import autocannon from 'autocannon'

/** One server under load for a while. */
export interface Measured {
  readonly requestsPerSecond: number
  /** Milliseconds of CPU (user and system) that the server process used for a request. */
  readonly cpuMs: number
  readonly p50Ms: number
  readonly p99Ms: number
}

export interface Target {
  readonly url: string
  readonly pid: number
  readonly token: string
}

export type Era = '2026-07-28' | '2025-11-25'

/** What a request says. */
export interface Call {
  readonly headers: Record<string, string>
  readonly body: string
}

const TICKS_PER_SECOND = 100

/** CPU seconds of a process with all its threads, from /proc. */
export function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}

/** The headers and body of one call of `tool` in an era. */
export function callOf(era: Era, tool: string, input: unknown): Call {
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'mcp-protocol-version': era,
  }
  const params = { name: tool, arguments: input }
  if (era === '2025-11-25') {
    return { headers, body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }) }
  }
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': era,
    'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  }
  return {
    headers: { ...headers, 'mcp-method': 'tools/call', 'mcp-name': tool },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { ...params, _meta } }),
  }
}

/**
 * What a call of the 2025 era needs besides: the session that the product opens with `initialize`. mcp-handler
 * is used without sessions, which is how it runs on serverless platforms: it gives no id and wants none.
 */
export async function openSession(
  { url, token }: Target,
  send: (url: string, init: RequestInit) => Promise<Response> = fetch,
): Promise<Record<string, string>> {
  const response = await send(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      authorization: `Bearer ${token}`,
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 0,
      method: 'initialize',
      params: {
        protocolVersion: '2025-11-25',
        capabilities: {},
        clientInfo: { name: 'bench', version: '1' },
      },
    }),
  })
  const text = await response.text()
  if (response.status !== 200) throw new Error(`${url}: initialize gives ${response.status} ${text}`)
  const id = response.headers.get('mcp-session-id')
  return id === null ? {} : { 'mcp-session-id': id }
}

/** Sends calls over ten connections for `seconds`; any answer but 200 fails the run. */
export async function measure(target: Target, call: Call, seconds: number): Promise<Measured> {
  const before = cpuSeconds(target.pid)
  const result = await autocannon({
    url: target.url,
    method: 'POST',
    headers: { ...call.headers, authorization: `Bearer ${target.token}` },
    body: call.body,
    connections: 10,
    duration: seconds,
  })
  const cpu = cpuSeconds(target.pid) - before
  if (result.non2xx > 0 || result.errors > 0) {
    throw new Error(`${target.url}: ${result.non2xx} answers were not 200, ${result.errors} errors`)
  }
  const requests = result['2xx']
  return {
    requestsPerSecond: requests / result.duration,
    cpuMs: (cpu * 1000) / requests,
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
  }
}
