import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

/**
 * Who may import whom (DESIGN.md §2): the architecture as data. A folder may always import itself; the
 * longest path wins. `*` after a slash means anything below.
 */
const everyone = [
  'lib/core/*',
  'lib/config/limits',
  'lib/config/version',
  'lib/store/port',
  'lib/store/operations',
  'lib/store/entry-id',
  'lib/store/message',
  'lib/store/keys',
  'lib/store/record',
  'lib/store/check',
  'zod',
]

const mayImport: Readonly<Record<string, readonly string[]>> = {
  'lib/core': [],
  'lib/config': ['lib/core/*', 'lib/observability/log', 'zod'],
  'lib/observability': [...everyone],
  'lib/http': [...everyone, 'lib/observability/*'],
  'lib/store': ['lib/core/*', 'lib/config/limits', 'zod', '@upstash/redis', '@redis/client'],
  'lib/oauth': [...everyone, 'jose'],
  'lib/oauth/endpoints': [...everyone, 'lib/oauth/*', 'lib/http/*', 'lib/observability/*', 'jose'],
  'lib/identity': [...everyone, 'lib/http/*', 'lib/observability/*', '@simplewebauthn/server'],
  'lib/mcp': [...everyone, 'lib/http/*', 'lib/observability/*', '@modelcontextprotocol/server'],
  'lib/notebook': [...everyone, 'lib/observability/*', 'minisearch'],
  'lib/tools': [...everyone, 'lib/mcp/define', 'lib/mcp/long-tool', 'lib/mcp/question', 'lib/notebook/*'],
  'lib/dashboard': [
    ...everyone,
    'lib/http/*',
    'lib/observability/*',
    'lib/oauth/types',
    'lib/identity/types',
    'lib/mcp/define',
  ],
  'lib/admin': [...everyone, 'lib/http/*'],
  'lib/node': ['*'],
  'lib/services.ts': ['lib/*', 'zod'],
  'lib/services': ['lib/*'],
  app: [
    'app/*',
    'lib/services',
    'lib/dashboard/*',
    'lib/core/signed-in',
    'lib/http/unavailable',
    'react',
    'next',
  ],
  bin: ['lib/services', 'lib/config/*', 'lib/node/*', 'lib/core/*', 'node:*', '*'],
  'instrumentation.ts': ['instrumentation-node'],
  'instrumentation-node.ts': ['lib/services', 'lib/config/*', 'lib/node/*'],
  'proxy.ts': ['next', 'lib/config/*'],
}

/** What may be loaded with `import()` besides: the adapters that only some deployments need. */
const mayLoad: Readonly<Record<string, readonly string[]>> = {
  'lib/services.ts': ['lib/*'],
  'lib/services': ['lib/*'],
  'lib/store': ['lib/store/*', '@upstash/redis', '@redis/client'],
  'instrumentation.ts': ['instrumentation-node'],
}

const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '*.ts', '*.tsx'], {
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => /^(lib|app|bin)\//.test(file) || /^(proxy|instrumentation(-node)?)\.ts$/.test(file))

const layers = Object.keys(mayImport).sort((left, right) => right.length - left.length)
const layerOf = (file: string) => layers.find((layer) => file === layer || file.startsWith(`${layer}/`))

const statement = /(?:^|\n)\s*(?:import|export)\s(?:[^'"`;]*?\sfrom\s)?['"]([^'"]+)['"]/g
const dynamic = /\bimport\(\s*['"]([^'"]+)['"]/g

function targetsOf(file: string, pattern: RegExp): string[] {
  const source = readFileSync(file, 'utf8')
  return [...source.matchAll(pattern)].map(([, specifier = '']) => resolve(file, specifier))
}

function resolve(file: string, specifier: string): string {
  if (specifier.startsWith('#')) return specifier.slice(1)
  if (!specifier.startsWith('.')) return specifier
  return new URL(specifier, `file:///${file}`).pathname.slice(1)
}

function allows(patterns: readonly string[], target: string): boolean {
  return patterns.some((pattern) =>
    pattern.endsWith('*')
      ? target.startsWith(pattern.slice(0, -1))
      : target === pattern || (target.startsWith(`${pattern}/`) && !pattern.startsWith('lib/')),
  )
}

describe('the architecture', () => {
  it('covers a real tree', () => {
    expect(files.length).toBeGreaterThan(60)
  })

  it.each(files)('lets %s import only what its layer may', (file) => {
    const layer = layerOf(file)
    expect(layer, `${file} belongs to no layer; add one to the table`).toBeDefined()

    const own = layer?.endsWith('.ts') ? [] : [`${layer}/*`]
    const statics = [...own, ...(mayImport[layer ?? ''] ?? [])]
    const loads = [...statics, ...(mayLoad[layer ?? ''] ?? [])]
    expect(targetsOf(file, statement).filter((target) => !allows(statics, target))).toEqual([])
    expect(targetsOf(file, dynamic).filter((target) => !allows(loads, target))).toEqual([])
  })

  it('refuses a forbidden import, so that the table is not vacuous', () => {
    expect(allows(mayImport['lib/mcp'] ?? [], 'lib/oauth/grant')).toBe(false)
    expect(allows(mayImport['lib/oauth'] ?? [], 'lib/http/page')).toBe(false)
    expect(allows(mayImport['lib/core'] ?? [], 'zod')).toBe(false)
  })

  it.each(files.filter((file) => file.startsWith('lib/') && !file.startsWith('lib/node/')))(
    'keeps %s on web standards: no node modules, no process, no Buffer',
    (file) => {
      const source = readFileSync(file, 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
      if (file !== 'lib/services.ts') expect(source).not.toMatch(/\bprocess\.(env|exit|cwd)|\bBuffer\b/)
      expect(source).not.toMatch(/from 'node:/)
    },
  )
})
