import { isAbsolute, join } from 'node:path'

/**
 * Where the local store keeps its files. A relative folder is meant from where the product was started:
 * Next's standalone server changes its working directory, so `bin/start.mjs` passes the place on.
 */
export function dataFolder(directory: string): string {
  return isAbsolute(directory)
    ? directory
    : join(/*turbopackIgnore: true*/ process.env['GATEHOUSE_ROOT'] ?? process.cwd(), directory)
}
