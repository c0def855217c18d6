import { consumeAdminToken } from '#lib/admin/admin-token'
import type { Commands } from '#lib/admin/commands'
import { ADMIN_BODY_MAX_BYTES } from '#lib/config/limits'
import type { Clock } from '#lib/core/clock'
import type { KeyRing } from '#lib/core/key-ring'
import type { Random } from '#lib/core/random'
import { readText } from '#lib/http/body'
import { NO_STORE } from '#lib/http/headers'
import type { Store } from '#lib/store/port'

interface DoorDeps {
  readonly keyRing: KeyRing
  readonly clock: Clock
  readonly random: Random
  readonly store: Store
  readonly commands: Commands
}

const AUTHORIZATION = /^Bearer ([\w.-]{1,1024})$/

/**
 * `POST /api/admin/{command}`: runs a command of the operator's shell in the server that has the local store.
 * To everybody without a good token there is nothing here: 404, whatever was asked, and no request to the
 * store. 200 `{ ok: true, lines }`, or 422 `{ ok: false, message }` for a command that cannot be carried out.
 */
export function adminDoor(deps: DoorDeps): (request: Request) => Promise<Response> {
  return async (request) => {
    const command = new URL(request.url).pathname.split('/').at(-1) ?? ''
    const [, token] = AUTHORIZATION.exec(request.headers.get('authorization') ?? '') ?? []
    if (request.method !== 'POST' || token === undefined) return nothingHere()

    const body = await readText(request, ADMIN_BODY_MAX_BYTES)
    if (!body.ok) return nothingHere()
    const sent = { command, body: body.value }
    if (!(await consumeAdminToken(token, sent, deps))) return nothingHere()

    // Sealed by the operator's own shell, so it is JSON.
    const outcome = await deps.commands.run(command, JSON.parse(sent.body))
    return outcome.ok
      ? Response.json({ ok: true, lines: outcome.value }, { headers: NO_STORE })
      : Response.json({ ok: false, message: outcome.error }, { status: 422, headers: NO_STORE })
  }
}

const nothingHere = () => Response.json({ error: 'not_found' }, { status: 404, headers: NO_STORE })
