/** The configuration is wrong; the message lists every fault, by the variable's name, never by its value. */
export class ConfigurationRefused extends Error {
  override readonly name = 'ConfigurationRefused'

  constructor(faults: readonly string[]) {
    super(
      `Gatehouse does not start: ${faults.length === 1 ? 'one setting is' : `${faults.length} settings are`} wrong.\n${faults.map((fault) => `  - ${fault}`).join('\n')}`,
    )
  }
}
