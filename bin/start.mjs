// `npm start`: builds when there is no build, then runs the standalone server in this very process.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const server = join(root, '.next', 'standalone', 'server.js')

process.env.NEXT_TELEMETRY_DISABLED ??= '1'

if (!existsSync(server) || !existsSync(join(root, '.next', 'BUILD_ID'))) {
  console.log('Building Gatehouse (once)')
  const built = spawnSync('npm', ['run', 'build', '--silent'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  if (built.status !== 0) process.exit(built.status ?? 1)
}

// The standalone server changes its working directory: a relative data folder is meant from here.
process.env.GATEHOUSE_ROOT = root
process.env.PORT ??= '3000'
// Without a public URL the server is for this machine only. A container sets HOSTNAME to its own id, so
// the variable alone does not say that somebody wants to be reached from outside.
process.env.HOSTNAME = process.env.BIND_HOST ?? (process.env.PUBLIC_URL ? '0.0.0.0' : '127.0.0.1')
// Longer than a load balancer's idle limit (60 s), so that it never meets a closing connection.
process.env.KEEP_ALIVE_TIMEOUT ??= '70000'

await import(pathToFileURL(server).href)
