import type { JSONRPCMessage, ServerEvent } from '@modelcontextprotocol/server'
import type { BusEntry } from '#lib/mcp/bus'

const LISTS = ['tools', 'prompts', 'resources'] as const

/** What an entry of the account's log says to one session; `undefined`: nothing. */
export function messageFor(
  sid: string,
  subscriptions: ReadonlySet<string>,
  entry: BusEntry,
): JSONRPCMessage | undefined {
  if (entry.sid !== undefined) return entry.sid === sid ? entry.message : undefined
  return entry.event && notificationOf(entry.event, subscriptions)
}

function notificationOf(event: ServerEvent, subscriptions: ReadonlySet<string>): JSONRPCMessage | undefined {
  switch (event.kind) {
    case 'tools_list_changed':
      return listChanged('tools')
    case 'prompts_list_changed':
      return listChanged('prompts')
    case 'resources_list_changed':
      return listChanged('resources')
    case 'resource_updated':
      return subscriptions.has(event.uri) ? updated(event.uri) : undefined
    default:
      // Of a later release.
      return undefined
  }
}

/** For a client that may have missed something: every list, and what it subscribed to, may have changed. */
export const everythingChanged = (subscriptions: ReadonlySet<string>): JSONRPCMessage[] => [
  ...LISTS.map(listChanged),
  ...[...subscriptions].map(updated),
]

const listChanged = (list: (typeof LISTS)[number]): JSONRPCMessage => ({
  jsonrpc: '2.0',
  method: `notifications/${list}/list_changed`,
})

const updated = (uri: string): JSONRPCMessage => ({
  jsonrpc: '2.0',
  method: 'notifications/resources/updated',
  params: { uri },
})
