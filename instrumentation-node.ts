import { announce } from '#lib/node/announce'
import { ConfigurationRefused } from '#lib/config/refused'
import { services } from '#lib/services'

/** `EX_CONFIG` of sysexits(3): the configuration is wrong, starting again will not help. */
const EXIT_CONFIGURATION = 78

/** Builds the services before the first request, so that a wrong configuration ends the process. */
export async function start(): Promise<void> {
  try {
    announce(await services())
  } catch (error) {
    console.error(error instanceof ConfigurationRefused ? error.message : error)
    process.exit(error instanceof ConfigurationRefused ? EXIT_CONFIGURATION : 1)
  }
}
