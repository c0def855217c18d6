import type { Config } from '#lib/config/env'
import { systemClock } from '#lib/core/clock'
import { createKeyRing, type KeyRing } from '#lib/core/key-ring'
import type { Store } from '#lib/store/port'

/** The store of this deployment. */
export interface Opened {
  readonly store: Store
  /** As the banner says it; never with credentials. */
  readonly description: string
}

/** The key ring of this deployment. */
export const openKeyRing = async (config: Config): Promise<KeyRing> =>
  createKeyRing(await secretsOf(config), config.keyPrefix)

/** Secrets for the key ring: the configured ones, or the one that the local store keeps in a file. */
async function secretsOf(config: Config): Promise<readonly string[]> {
  if (config.authSecret !== undefined) return [config.authSecret, ...config.oldAuthSecrets]
  if (config.store.kind !== 'local') throw new Error('no secret is configured')

  const { localSecret } = await import('#lib/node/local-secret')
  const { dataFolder } = await import('#lib/node/data-folder')
  return [localSecret(dataFolder(config.store.directory)), ...config.oldAuthSecrets]
}

/** Each client library is loaded only where it is used. */
export async function openStore({ store, keyPrefix: prefix }: Config): Promise<Opened> {
  switch (store.kind) {
    case 'upstash': {
      const { createUpstashStore } = await import('#lib/store/redis/upstash')
      return { store: createUpstashStore({ ...store, prefix }), description: new URL(store.url).host }
    }
    case 'tcp': {
      const { createTcpStore } = await import('#lib/store/redis/tcp')
      return { store: createTcpStore({ url: store.url, prefix }), description: new URL(store.url).host }
    }
    case 'local': {
      const { createLocalStore } = await import('#lib/node/local-store')
      const { dataFolder } = await import('#lib/node/data-folder')
      const directory = dataFolder(store.directory)
      return {
        store: await createLocalStore({ directory, prefix, clock: systemClock }),
        description: directory,
      }
    }
  }
}
