import type { Services } from '#lib/services'

const POLL_MS = 100
const GIVE_UP_MS = 30_000

/**
 * Prints the banner (DESIGN.md §3) once the server answers: one fact a line, stable, so that people and
 * scripts can read it. Serverless platforms have nobody at the console and get none.
 */
export function announce(services: Services): void {
  if (services.config.serverless) return
  void whenListening(services.config.port).then(() => printBanner(services))
}

async function printBanner({ config, identity, store }: Services): Promise<void> {
  const lines = [
    `MCP endpoint: ${config.publicUrl}/api/mcp`,
    `Dashboard: ${config.publicUrl}/dashboard`,
    `Store: ${store.description}`,
  ]
  try {
    if (!(await identity.hasOwner())) lines.push(`Sign in as owner: ${await identity.mintSignInLink({})}`)
  } catch {
    lines.push('The store does not answer; requests that need it get 503 until it does.')
  }
  console.log(lines.join('\n'))
}

async function whenListening(port: number): Promise<void> {
  const deadline = Date.now() + GIVE_UP_MS
  while (Date.now() < deadline) {
    try {
      await fetch(`http://127.0.0.1:${port}/api/health`)
      return
    } catch {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    }
  }
}
