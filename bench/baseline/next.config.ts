import { fileURLToPath } from 'node:url'
import type { NextConfig } from 'next'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** The same settings as the product's, so that only the handler differs. */
const config: NextConfig = {
  output: 'standalone',
  poweredByHeader: false,
  agentRules: false,
  skipTrailingSlashRedirect: true,
  compress: false,
  images: { unoptimized: true },
  outputFileTracingRoot: root,
  turbopack: { root },
  outputFileTracingExcludes: { '*': ['node_modules/@img/**', 'node_modules/sharp/**'] },
  typescript: { ignoreBuildErrors: true },
}

export default config
