import type { JSONRPCRequest } from '@modelcontextprotocol/server'
import { textMember } from '#lib/mcp/text-member'

/** Where the header of an argument gets its value from. */
interface Declaration {
  /** `mcp-param-…`, in lower case. */
  readonly header: string
  /** The names of the members that lead to the argument. */
  readonly path: readonly string[]
}

/** The one thing asked of the factory here. */
interface Schemas {
  inputSchema(tool: string): unknown
}

/**
 * What is wrong with the `Mcp-Param-*` headers of a `tools/call` beyond what the SDK checks: a header of an
 * argument that is not there. Whoever routes by the header would have been told something that the body does
 * not say (2026-07-28, "Custom Headers from Tool Parameters"). `undefined`: nothing.
 */
export function paramHeaderFault(
  { method, params }: JSONRPCRequest,
  headers: Headers,
  schemas: Schemas,
): string | undefined {
  if (method !== 'tools/call' || ![...headers.keys()].some((name) => name.startsWith('mcp-param-')))
    return undefined

  const declared = declarations(schemas.inputSchema(textMember(params, 'name')))
  const lone = declared.find(
    ({ header, path }) => headers.has(header) && (valueAt(params?.['arguments'], path) ?? null) === null,
  )
  return lone && `Bad Request: the ${lone.header} header is there, but ${lone.path.join('.')} is not`
}

function declarations(schema: unknown, path: readonly string[] = []): Declaration[] {
  if (!isObject(schema)) return []
  const name = schema['x-mcp-header']
  const own = typeof name === 'string' ? [{ header: `mcp-param-${name.toLowerCase()}`, path }] : []
  const properties = isObject(schema['properties']) ? Object.entries(schema['properties']) : []
  return [...own, ...properties.flatMap(([key, child]) => declarations(child, [...path, key]))]
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce(
    (node: unknown, key) => (isObject(node) && Object.hasOwn(node, key) ? node[key] : undefined),
    value,
  )
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === 'object' && !Array.isArray(value)
