import { createMcpEndpoint } from '#lib/mcp/endpoint'
import { createServerFactory } from '#lib/mcp/server'
import { offer } from '#lib/tools/index'
import { scopes } from '#lib/tools/scopes'
import {
  type AuthorizationServer,
  ISSUER,
  startAuthorizationServer,
} from '#test/support/authorization-server'
import { liveParts } from '#test/support/live-parts'

/** The authorization server and the MCP endpoint with the product's tools, in one process. */
export interface Gate {
  readonly server: AuthorizationServer
  readonly endpoint: URL
  /** What a host calls. Only requests that came through here are in `statuses`. */
  readonly fetch: typeof fetch
  /** Status of every call of the MCP endpoint. */
  readonly statuses: number[]
}

export async function startGate(): Promise<Gate> {
  const server = await startAuthorizationServer()
  const { oauth, deps, store } = server
  const mcp = createMcpEndpoint({
    origin: ISSUER,
    allowedOrigins: [],
    allowedHosts: [],
    keyRing: deps.keyRing,
    clock: deps.clock,
    factory: createServerFactory(offer, { ...deps, scopes }),
    readBearer: oauth.readBearer,
    challenge: oauth.challenge,
    ...liveParts(store),
    admit: async (claims, _calls, also) => {
      const check = oauth.grantCheck(claims)
      const [text, ...answers] = await store.batch(check.operation, ...also)
      const grant = check.decide(text)
      if (!grant.ok) return { ok: false, error: { reason: 'token_invalid' } }
      const { client, scopes: held } = grant.value
      const caller = { accountId: claims.accountId, client, scopes: held }
      return { ok: true, value: { caller, answers } }
    },
  })
  const statuses: number[] = []

  async function answer(request: Request): Promise<Response> {
    const exchange = server.exchange()
    switch (new URL(request.url).pathname) {
      case '/api/mcp': {
        const response = await mcp.handle(request, exchange)
        statuses.push(response.status)
        return response
      }
      case '/.well-known/oauth-protected-resource/api/mcp':
        return oauth.protectedResourceMetadata(request, exchange)
      case '/.well-known/oauth-authorization-server':
        return oauth.authorizationServerMetadata(request, exchange)
      case '/oauth/register':
        return oauth.register(request, exchange)
      case '/oauth/token':
        return oauth.token(request, exchange)
      default:
        return Response.json({ error: 'not_found' }, { status: 404 })
    }
  }
  return {
    server,
    statuses,
    endpoint: new URL('/api/mcp', ISSUER),
    fetch: (input, init) => answer(new Request(input, init)),
  }
}
