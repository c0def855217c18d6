import { ConfigurationRefused } from '#lib/config/refused'
import { announce } from '#lib/node/announce'
import { type Services, services } from '#lib/services'

/** `EX_CONFIG` of sysexits(3): the configuration is wrong, starting again will not help. */
const EXIT_CONFIGURATION = 78

/** Builds the services before the first request, so that a wrong configuration ends the process. */
export async function start(): Promise<void> {
  try {
    const built = await services()
    drainOnSignal(built)
    announce(built)
  } catch (error) {
    console.error(error instanceof ConfigurationRefused ? error.message : error)
    process.exit(error instanceof ConfigurationRefused ? EXIT_CONFIGURATION : 1)
  }
}

/**
 * Next waits for open requests before it exits; a stream that nobody ends would keep it for ever. Serverless
 * platforms give half a second: what other instances need to go on is written first.
 */
function drainOnSignal({ drain }: Services): void {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void drain())
}
