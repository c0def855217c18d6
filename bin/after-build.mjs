// Completes the standalone folder: Next leaves out the files that a CDN would serve, and copies `.env` in.
import { cpSync, existsSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const standalone = join(root, '.next', 'standalone')

if (existsSync(standalone)) {
  cpSync(join(root, 'public'), join(standalone, 'public'), { recursive: true })
  cpSync(join(root, '.next', 'static'), join(standalone, '.next', 'static'), { recursive: true })
  // A secret must never travel inside the artefact.
  for (const file of ['.env', '.env.production']) rmSync(join(standalone, file), { force: true })
}
