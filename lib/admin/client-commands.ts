import { z } from 'zod'
import { authChoices, type CommandOutcome, command, day } from '#lib/admin/command'
import { err, ok } from '#lib/core/result'

const NO_CLIENT = 'There is no such client. `client list` shows them.'

/** What to do about a refused registration. */
const faults: Readonly<Record<string, string>> = {
  name_missing: 'The name has 1 to 200 visible characters.',
  redirect_uri_refused:
    'Each redirect URI is https, http to localhost, 127.0.0.1 or [::1], or a private scheme with a dot or of a ' +
    'known app (none with STRICT_REDIRECTS); without fragment and user name; at most 10 of 512 characters.',
  scope_unknown: 'The scope names something that this server does not have.',
  jwks_missing: 'private_key_jwt needs the public keys: --jwks FILE or --jwks-uri URL.',
  jwks_refused: 'The key set is not one of public keys only, or its address is not https.',
  jwks_without_use: 'Only --auth private_key_jwt takes keys.',
}

/** Where an app is known by: what grants, blocks and lists call it. */
const clientKey = z
  .string()
  .regex(
    /^(?:dcr_[\w-]{22}|sc_[\w-]{22}|https:\/\/\S{1,1024})$/,
    'A client key begins with dcr_, sc_ or https://; `connections list --person NAME` shows those in use.',
  )

export const clientCommands = {
  'client-create': command(
    z.object({
      name: z.string(),
      redirect: z.array(z.string()).min(1),
      auth: z.enum(authChoices).default('secret'),
      jwks: z.unknown().optional(),
      jwksUri: z.string().optional(),
      scope: z.string().optional(),
    }),
    async ({ redirect, ...asked }, { clients }) => {
      const made = await clients.create({ ...asked, redirectUris: redirect })
      if (!made.ok) return err(faults[made.error] ?? made.error)
      return ok([`Client id: ${made.value.id}`, ...secretLines(made.value.secret)])
    },
  ),

  'client-list': command(z.object({}), async (_, { clients, clientStanding }) => {
    const lines: string[] = []
    for (const { id, name, authMethods, redirectUris, scopes, secretsSince } of await clients.list()) {
      const state = (await clientStanding.isBlocked(id)) ? 'blocked' : 'active'
      lines.push(`${id}  ${state}  ${authMethods.join(',')}  ${name}`)
      for (const uri of redirectUris) lines.push(`  redirect ${uri}`)
      if (scopes) lines.push(`  scope ${scopes.join(' ')}`)
      for (const since of secretsSince) lines.push(`  secret since ${day(since)}`)
    }
    return ok(lines.length > 0 ? lines : ['No clients.'])
  }),

  'client-rotate': command(
    z.object({ id: z.string(), dropOld: z.boolean().default(false) }),
    async ({ id, dropOld }, { clients }) => {
      const made = await clients.rotate(id, { dropOld })
      if (made.ok) {
        const old = dropOld
          ? 'Every earlier secret has ended.'
          : 'The secret before it works until the next one.'
        return ok([...secretLines(made.value.secret), old])
      }
      return err(made.error === 'client_unknown' ? NO_CLIENT : 'This client has no secret.')
    },
  ),

  'client-delete': command(
    z.object({ id: z.string() }),
    async ({ id }, { clients }): Promise<CommandOutcome> =>
      (await clients.remove(id))
        ? ok(['The client is deleted and its connections have ended.'])
        : err(NO_CLIENT),
  ),

  'client-block': command(z.object({ key: clientKey }), async ({ key }, { clientStanding }) => {
    await clientStanding.block(key)
    return ok(['The app is blocked and its connections have ended.'])
  }),

  'client-unblock': command(z.object({ key: clientKey }), async ({ key }, { clientStanding }) => {
    await clientStanding.unblock(key)
    return ok(['The app may be connected again. Its earlier connections stay ended.'])
  }),
}

const secretLines = (secret: string | undefined) =>
  secret === undefined ? [] : [`Client secret: ${secret}`, 'The secret is shown this once.']
