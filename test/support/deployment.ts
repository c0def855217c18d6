import { randomBytes } from 'node:crypto'
import { systemClock } from '#lib/core/clock'
import { createKeyRing } from '#lib/core/key-ring'
import { systemRandom } from '#lib/core/random'
import { mintSignInLink } from '#lib/identity/sign-in-link'
import { ensureBuilt } from '#test/support/build'
import { type Product, type ProductOptions, startProduct } from '#test/support/product'
import { type RedisServer, startRedis } from '#test/support/redis-server'
import { type RoundRobin, startRoundRobin } from '#test/support/round-robin'
import { startUpstashBridge, type UpstashBridge } from '#test/support/upstash-bridge'

const KEY_PREFIX = 'test'

/** The product as somebody runs it, whatever stands behind its one address. */
export interface Deployment {
  readonly origin: string
  /** Of the first start: it stays valid through restarts. */
  readonly ownerLink: string
  readonly instances: readonly Product[]
  dispose(): Promise<void>
}

/** Two instances behind a round-robin, sharing Upstash (the bridge) and nothing else. */
export interface Pair extends Deployment {
  readonly roundRobin: RoundRobin
  readonly bridge: UpstashBridge
  readonly redis: RedisServer
  /** What the instances were started with: a shell of the same deployment needs it too. */
  readonly env: Readonly<Record<string, string>>
  /** A sign-in link as `npm run gatehouse -- sign-in-link --member NAME` prints it. */
  memberLink(name: string): Promise<string>
}

/** One process on the local store: a laptop. */
export async function startLocal(options: ProductOptions = {}): Promise<Deployment> {
  await ensureBuilt()
  const product = await startProduct(options)
  return {
    origin: product.url,
    ownerLink: required(product.ownerLink),
    instances: [product],
    dispose: () => product.dispose(),
  }
}

/**
 * See `Pair`.
 *
 * @param over - `tcp`: both speak to Redis itself, and nobody to the bridge
 */
export async function startPair(
  env: Readonly<Record<string, string>> = {},
  over: 'upstash' | 'tcp' = 'upstash',
): Promise<Pair> {
  await ensureBuilt()
  const redis = await startRedis()
  const bridge = await startUpstashBridge({ redisUrl: redis.url })
  const roundRobin = await startRoundRobin()
  const secret = randomBytes(32).toString('base64url')
  const linkDeps = {
    origin: roundRobin.url,
    keyRing: createKeyRing([secret], KEY_PREFIX),
    clock: systemClock,
    random: systemRandom,
  }
  const shared = {
    PUBLIC_URL: roundRobin.url,
    AUTH_SECRET: secret,
    KEY_PREFIX,
    ...(over === 'tcp'
      ? { REDIS_URL: redis.url }
      : { UPSTASH_REDIS_REST_URL: bridge.url, UPSTASH_REDIS_REST_TOKEN: bridge.token }),
    ...env,
  }
  // One after the other: both at once would only show that two cores are few.
  const first = await startProduct({ env: shared })
  const second = await startProduct({ env: shared })
  const instances = [first, second]
  roundRobin.use(instances.map(({ port }) => port))
  return {
    origin: roundRobin.url,
    ownerLink: required(first.ownerLink),
    instances,
    roundRobin,
    bridge,
    redis,
    env: shared,
    memberLink: (member) => mintSignInLink(linkDeps, { member }),
    async dispose() {
      await roundRobin.close()
      await Promise.all(instances.map((instance) => instance.dispose()))
      await bridge.stop()
      await redis.stop()
    },
  }
}

function required(link: string | undefined): string {
  if (!link) throw new Error('the banner has no sign-in link')
  return link
}
