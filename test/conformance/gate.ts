import { expect } from 'vitest'
import { type Check, count, type Run } from '#test/conformance/suite'

/** The suite never runs this one: it is not finished there. */
const NEVER_RUN = 'tasks-status-notifications'

/** Scenarios that one set runs beside the required ones, and that are passed all the same. */
const PENDING = {
  'json-schema-2020-12': 8,
  'http-header-validation': 14,
  'http-custom-header-server-validation': 10,
}

const isTask = (scenario: string) => scenario.startsWith('tasks-')
const scenariosOf = (checks: readonly Check[]) => new Set(checks.map(({ scenario }) => scenario))

/** So many checks passed in so many scenarios; none failed, warned or was left out, whatever the exit code says. */
function expectAll(
  { checks, output }: Run,
  expected: { readonly scenarios: number; readonly passed: number },
): void {
  const said = checks.filter(({ status }) => status !== 'SUCCESS' && status !== 'INFO')
  const unexpected = said.filter(({ scenario, status }) => !(scenario === NEVER_RUN && status === 'SKIPPED'))
  expect(unexpected, output).toEqual([])
  expect(scenariosOf(checks).size, output).toBe(expected.scenarios)
  expect(count(checks).SUCCESS, output).toBe(expected.passed)
}

/** 2025-11-25: 30 scored scenarios and 3 more, with sessions, resumption and questions to the client. */
export function expectLegacySet(run: Run): void {
  expectAll(run, { scenarios: 33, passed: 84 })
}

/** 2026-07-28: 37 scored scenarios with 120 checks, the pending ones, and the tasks extension. */
export function expectModernSet(run: Run): void {
  expectAll(run, { scenarios: 50, passed: 196 })
  const isScored = (scenario: string) => !isTask(scenario) && !Object.hasOwn(PENDING, scenario)
  expect([...scenariosOf(run.checks)].filter(isScored)).toHaveLength(37)
  expect(count(run.checks, isScored).SUCCESS).toBe(120)
  for (const [pending, passed] of Object.entries(PENDING)) {
    expect(count(run.checks, (scenario) => scenario === pending).SUCCESS, pending).toBe(passed)
  }
}

/** Everything that the suite has, the skills extension included. */
export function expectWholeSuite(run: Run): void {
  expectAll(run, { scenarios: 65, passed: 276 })
}
