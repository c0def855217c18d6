import { randomBytes } from 'node:crypto'
import { systemClock } from '#lib/core/clock'
import { createKeyRing } from '#lib/core/key-ring'
import { systemRandom } from '#lib/core/random'
import { mintSignInLink } from '#lib/identity/sign-in-link'
import { ensureBuilt } from '#test/support/build'
import { type Product, type ProductOptions, startProduct } from '#test/support/product'
import { type RedisServer, startRedis } from '#test/support/redis-server'
import { type RoundRobin, startRoundRobin } from '#test/support/round-robin'
import { startTcpFaultProxy, type TcpFaultProxy } from '#test/support/tcp-fault-proxy'
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

/** Two instances behind a round-robin, sharing a store and nothing else. */
export interface Pair extends Deployment {
  readonly roundRobin: RoundRobin
  /** Between the instances and Redis where they speak Upstash's protocol. */
  readonly bridge: UpstashBridge
  /** Between the instances and Redis where they speak to Redis itself. */
  readonly wire: TcpFaultProxy
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
  const started: (() => Promise<unknown>)[] = []
  const dispose = async () => {
    for (const stop of started.splice(0).reverse()) await stop()
  }
  try {
    return { ...(await assemblePair(env, { over, started })), dispose }
  } catch (error) {
    // The product may refuse to start: nothing else is left running.
    await dispose()
    throw error
  }
}

async function assemblePair(
  env: Readonly<Record<string, string>>,
  { over, started }: { readonly over: 'upstash' | 'tcp'; readonly started: (() => Promise<unknown>)[] },
): Promise<Omit<Pair, 'dispose'>> {
  const redis = await startRedis()
  started.push(() => redis.stop())
  const [bridge, wire] = [await startUpstashBridge({ redisUrl: redis.url }), await startTcpFaultProxy(redis)]
  started.push(() => Promise.all([bridge.stop(), wire.stop()]))
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
      ? { REDIS_URL: `redis://127.0.0.1:${wire.port}` }
      : { UPSTASH_REDIS_REST_URL: bridge.url, UPSTASH_REDIS_REST_TOKEN: bridge.token }),
    ...env,
  }
  const instances: Product[] = []
  started.push(() => Promise.all(instances.map((instance) => instance.dispose())))
  started.push(() => roundRobin.close())
  // One after the other: both at once would only show that two cores are few.
  for (let count = 0; count < 2; count++) instances.push(await startProduct({ env: shared }))
  roundRobin.use(instances.map(({ port }) => port))
  return {
    origin: roundRobin.url,
    ownerLink: required(instances[0]?.ownerLink),
    instances,
    roundRobin,
    bridge,
    wire,
    redis,
    env: shared,
    memberLink: (member) => mintSignInLink(linkDeps, { member }),
  }
}

function required(link: string | undefined): string {
  if (!link) throw new Error('the banner has no sign-in link')
  return link
}
