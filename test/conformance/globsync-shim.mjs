import { register } from 'node:module'

/*
 * The suite wants Node 22, but only for one command that is not used here: its bundle imports `globSync`,
 * which `node:fs` of Node 20 does not have. This takes the one import out; nothing else is touched.
 */
const hooks = `
export async function load(url, context, next) {
  const loaded = await next(url, context)
  if (!url.includes('/@modelcontextprotocol/conformance/dist/index.js')) return loaded
  return { ...loaded, source: loaded.source.toString().replace(/globSync as \\w+,/, '') }
}`

register(`data:text/javascript,${encodeURIComponent(hooks)}`)
