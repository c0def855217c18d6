import type { ClientCapabilities, JSONRPCRequest } from '@modelcontextprotocol/server'

/** Whether a client of the 2025 era declared that it answers such a request ("Capability Negotiation"). */
export function canAnswer(capabilities: ClientCapabilities, { method, params }: JSONRPCRequest): boolean {
  switch (method) {
    case 'ping':
      return true
    case 'elicitation/create':
      return params?.['mode'] === 'url'
        ? capabilities.elicitation?.url !== undefined
        : capabilities.elicitation?.form !== undefined
    case 'sampling/createMessage':
      return capabilities.sampling !== undefined
    case 'roots/list':
      return capabilities.roots !== undefined
    default:
      return false
  }
}
