import { after } from 'next/server'
import { type EndpointName, services } from '#lib/services'

type Handler = (request: Request) => Promise<Response>

/** Every method goes to the endpoint: it knows which it serves and answers the others with 405 and `Allow`. */
interface Handlers {
  readonly GET: Handler
  readonly HEAD: Handler
  readonly POST: Handler
  readonly PUT: Handler
  readonly PATCH: Handler
  readonly DELETE: Handler
  readonly OPTIONS: Handler
}

/** Route handlers of one endpoint, for `export const { GET, POST, … } = handlersOf('token')`. */
export function handlersOf(name: EndpointName): Handlers {
  const handle: Handler = async (request) => {
    const { endpoints } = await services({ waitUntil: after })
    return endpoints[name](request)
  }
  return {
    GET: handle,
    HEAD: handle,
    POST: handle,
    PUT: handle,
    PATCH: handle,
    DELETE: handle,
    OPTIONS: handle,
  }
}
