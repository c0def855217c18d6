import { afterAll, beforeAll, describe, it } from 'vitest'
import { systemClock } from '#lib/core/clock'
import { systemRandom } from '#lib/core/random'
import { createConformanceFactory } from '#lib/mcp/conformance/factory'
import { fixtureSkills } from '#lib/mcp/conformance/skills'
import { type BearerProxy, startBearerProxy } from '#test/conformance/bearer-proxy'
import { expectLegacySet, expectModernSet, expectWholeSuite } from '#test/conformance/gate'
import { type Run, runServerSuite } from '#test/conformance/suite'
import { inProcess, listen } from '#test/mcp/in-process'
import { tasksOver } from '#test/mcp/tasks/over'
import { localStoreLater } from '#test/support/live-parts'

/** The endpoint and the fixture alone: fast, and a failure here is a failure of `lib/mcp`. */
describe('the endpoint against the official suite, in process', () => {
  let server: Awaited<ReturnType<typeof listen>>
  let proxy: BearerProxy

  beforeAll(async () => {
    const store = localStoreLater()
    const deps = { store, clock: systemClock, random: systemRandom, log: () => undefined }
    const factory = createConformanceFactory({ ...deps, skills: await fixtureSkills() })
    server = await listen(inProcess({ factory, store, tasks: tasksOver({ store, factory }) }).fetch)
    proxy = await startBearerProxy(server.url, 'alice')
  })

  afterAll(async () => {
    await proxy.close()
    await server.close()
  })

  const run = (...args: string[]): Promise<Run> => runServerSuite(`${proxy.url}/api/mcp`, args)

  it('passes everything of 2026-07-28, the tasks extension included', async () => {
    expectModernSet(await run('--requirements', '2026-07-28'))
  })

  it('passes everything of 2025-11-25', async () => {
    expectLegacySet(await run('--requirements', '2025-11-25'))
  })

  it('passes everything that the suite has', async () => {
    expectWholeSuite(await run('--suite', 'all'))
  })
})
