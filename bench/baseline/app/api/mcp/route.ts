import { importJWK, jwtVerify } from 'jose'
import { createMcpHandler, withMcpAuth } from 'mcp-handler'
import { systemClock } from '#lib/core/clock'
import { systemRandom } from '#lib/core/random'
import type { ToolContext } from '#lib/mcp/define'
import { createLocalStore } from '#lib/node/local-store'
import { offer } from '#lib/tools/index'

/**
 * What a careful developer builds with mcp-handler: a JWT verified by jose with a cached key, a grant looked up
 * in a Map, the same tools with their schemas hoisted, the same notebook on the same store.
 */

const key = importJWK(JSON.parse(process.env['BENCH_JWK'] ?? '{}'), 'ES256')
const grants = new Map([['bench-grant', { accountId: 'bench-account' }]])
const store = createLocalStore({
  directory: process.env['DATA_DIR'] ?? '.data',
  prefix: 'bench',
  clock: systemClock,
})

async function contextOf(accountId: string, signal: AbortSignal): Promise<ToolContext> {
  return {
    caller: {
      accountId,
      client: { key: 'bench', name: 'Bench', verified: false },
      scopes: ['notes:read', 'notes:write'],
    },
    store: await store,
    clock: systemClock,
    random: systemRandom,
    signal,
    progress: async () => undefined,
    ask: () => ({ state: 'unavailable' }),
  }
}

const handler = createMcpHandler(
  (server) => {
    for (const tool of offer.tools) {
      server.registerTool(
        tool.name,
        {
          title: tool.title,
          description: tool.description,
          inputSchema: tool.input,
          outputSchema: tool.output,
          annotations: tool.annotations,
        },
        async (input, context) => {
          const grant = grants.get(String(context.http?.authInfo?.extra?.['grantId']))
          if (!grant) throw new Error('no grant')
          const outcome = await tool.run(input, await contextOf(grant.accountId, context.mcpReq.signal))
          if (outcome.kind !== 'done') throw new Error('the tool failed')
          return { content: [{ type: 'text', text: outcome.text }], structuredContent: outcome.structured }
        },
      )
    }
  },
  { serverInfo: { name: 'baseline', version: '1' } },
)

const authorized = withMcpAuth(
  handler,
  async (_request, token) => {
    if (!token) return undefined
    const { payload } = await jwtVerify(token, await key, {
      algorithms: ['ES256'],
      issuer: 'bench',
      audience: 'bench',
      typ: 'at+jwt',
    })
    if (!grants.has(String(payload['gid']))) return undefined
    return {
      token,
      clientId: String(payload['client_id']),
      scopes: String(payload['scope']).split(' '),
      expiresAt: payload.exp ?? 0,
      extra: { grantId: payload['gid'] },
    }
  },
  { required: true },
)

export { authorized as GET, authorized as POST, authorized as DELETE }
