import { fileURLToPath } from 'node:url'
import type { NextConfig } from 'next'

// Without it a lockfile in some parent folder would make Next take that folder for the root.
const root = fileURLToPath(new URL('.', import.meta.url))

const config: NextConfig = {
  // Vercel packs functions itself; everything else runs the traced standalone server.
  ...(process.env['VERCEL'] ? {} : { output: 'standalone' as const }),
  outputFileTracingRoot: root,
  turbopack: { root },
  poweredByHeader: false,
  agentRules: false,
  reactStrictMode: true,
  // A redirect of `/api/mcp/` would lose the body and the CORS headers in many hosts.
  skipTrailingSlashRedirect: true,
  compress: process.env['GATEHOUSE_COMPRESS'] === '1',
  images: { unoptimized: true },
  outputFileTracingExcludes: {
    '*': ['node_modules/@img/**', 'node_modules/sharp/**', '.data*/**', 'test/**', 'bench/**', 'docs/**'],
  },
  typescript: { ignoreBuildErrors: process.env['GATEHOUSE_SKIP_TYPES'] === '1' },
}

export default config
