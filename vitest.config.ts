import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const root = fileURLToPath(new URL('.', import.meta.url))
const project = (name: string, include: string[], more: Record<string, unknown> = {}) => ({
  extends: true as const,
  test: { name, include, ...more },
})

export default defineConfig({
  resolve: {
    alias: [
      { find: /^#lib\/(.*)$/, replacement: `${root}lib/$1.ts` },
      { find: /^#test\/(.*)$/, replacement: `${root}test/$1.ts` },
      { find: /^#bench\/(.*)$/, replacement: `${root}bench/$1.ts` },
    ],
  },
  test: {
    testTimeout: 20_000,
    hookTimeout: 60_000,
    projects: [
      project('checks', ['test/checks/**/*.test.ts']),
      project('unit', [
        'test/{admin,core,config,http,node,oauth,identity,mcp,notebook,dashboard,tools,observability}/**/*.test.ts',
      ]),
      project('store', ['test/store/**/*.test.ts']),
      project('flows', ['test/flows/**/*.test.ts']),
      project('e2e', ['test/e2e/**/*.test.ts'], {
        testTimeout: 120_000,
        hookTimeout: 300_000,
        fileParallelism: false,
        // After everything that needs no server: two cores are not enough for both.
        sequence: { groupOrder: 1 },
      }),
      project('hosts', ['test/hosts/**/*.test.ts'], {
        globalSetup: ['test/hosts/report.ts'],
        testTimeout: 120_000,
        hookTimeout: 300_000,
        fileParallelism: false,
        sequence: { groupOrder: 2 },
      }),
      project('conformance', ['test/conformance/**/*.test.ts'], {
        testTimeout: 300_000,
        hookTimeout: 300_000,
        fileParallelism: false,
        sequence: { groupOrder: 3 },
      }),
    ],
  },
})
