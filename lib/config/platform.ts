/** The variables of a process. Empty ones count as absent. */
export type Environment = Readonly<Record<string, string | undefined>>

/** What the machine is, as far as its own variables tell. */
export interface Platform {
  readonly kind: 'vercel' | 'lambda' | 'cloudflare' | 'server'
  /** Instances come and go, and no disk outlives them. */
  readonly serverless: boolean
  /** A deployment made for looking at a change: its own keys, short lifetimes. */
  readonly preview: boolean
  /** The origin that the platform gives this deployment. */
  readonly origin?: string
  /** The origin of the production deployment beside a preview. */
  readonly productionOrigin?: string
  /** Separates this deployment from the others of the same project, after the key prefix. */
  readonly suffix?: string
}

/**
 * Reads the platform's own variables. `VERCEL_ENV=development` is somebody's machine: `vercel env pull`
 * writes it into `.env.local` there.
 */
export function detectPlatform(env: Environment): Platform {
  if (env['VERCEL'] && env['VERCEL_ENV'] !== 'development') return vercel(env)
  if (env['AWS_LAMBDA_FUNCTION_NAME']) return { kind: 'lambda', serverless: true, preview: false }
  if (env['CF_PAGES']) return { kind: 'cloudflare', serverless: true, preview: false }
  return { kind: 'server', serverless: false, preview: false }
}

function vercel(env: Environment): Platform {
  const common = { kind: 'vercel', serverless: true } as const
  const production = env['VERCEL_PROJECT_PRODUCTION_URL']
  if (env['VERCEL_ENV'] === 'production') return { ...common, preview: false, ...at('origin', production) }

  const own = env['VERCEL_BRANCH_URL'] || env['VERCEL_URL']
  const environment = env['VERCEL_TARGET_ENV'] || env['VERCEL_ENV'] || 'preview'
  // A deployment by command line has no branch; its own address is as good a name.
  const branch = env['VERCEL_GIT_COMMIT_REF'] || env['VERCEL_URL'] || 'unnamed'
  return {
    ...common,
    preview: true,
    ...at('origin', own),
    ...at('productionOrigin', production),
    suffix: `${spell(environment)}-${spell(branch)}`,
  }
}

const at = <Name extends string>(name: Name, host: string | undefined) =>
  (host ? { [name]: `https://${host}` } : {}) as { readonly [key in Name]?: string }

/** One spelling for one name, without characters that mean something in a key (git allows no `~`). */
const spell = (name: string): string => encodeURIComponent(name).replaceAll('%', '~')
