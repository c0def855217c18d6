import { expect } from 'vitest'
import { count, type Run } from '#test/conformance/suite'

/** Scenarios of the 2025-11-25 set in which the server asks the client: they need a session. */
const NEED_SESSIONS = new Set([
  'tools-call-sampling',
  'tools-call-elicitation',
  'elicitation-sep1034-defaults',
  'elicitation-sep1330-enums',
])

/** Run beside the required ones, never scored, and still to be passed in full. */
const PENDING = {
  'json-schema-2020-12': 8,
  'http-header-validation': 14,
  'http-custom-header-server-validation': 10,
}

const only = (status: Partial<ReturnType<typeof count>>) => ({
  SUCCESS: 0,
  FAILURE: 0,
  WARNING: 0,
  SKIPPED: 0,
  INFO: 0,
  ...status,
})

/** The tasks extension, never scored: its last scenario is not written yet, and the suite always skips it. */
const TASKS = { SUCCESS: 44, SKIPPED: 1 }

/** 2026-07-28: 37 scored scenarios with 120 checks, the pending ones, and the tasks extension: 196 in all. */
export function expectModernSet({ checks, output }: Run): void {
  const isScored = (scenario: string) => !scenario.startsWith('tasks-') && !Object.hasOwn(PENDING, scenario)
  const scored = new Set(checks.map(({ scenario }) => scenario).filter(isScored))
  expect(scored.size, output).toBe(37)
  // The one INFO says that answers came as JSON, which is allowed.
  expect(count(checks, isScored), output).toEqual(only({ SUCCESS: 120, INFO: 1 }))
  for (const [pending, successes] of Object.entries(PENDING)) {
    expect(
      count(checks, (scenario) => scenario === pending),
      output,
    ).toEqual(only({ SUCCESS: successes }))
  }
  expect(
    count(checks, (scenario) => scenario.startsWith('tasks-')),
    output,
  ).toEqual(only(TASKS))
}

/**
 * 2025-11-25 without sessions: 26 of the 30 scored scenarios. What remains are four in which the client is
 * asked, and remarks that there is no session id.
 */
export function expectLegacySetWithoutSessions({ checks, output }: Run): void {
  const scenarios = new Set(checks.map(({ scenario }) => scenario))
  expect(scenarios.size, output).toBe(33)
  const failed = checks.filter(({ status }) => status === 'FAILURE').map(({ scenario }) => scenario)
  expect(new Set(failed), output).toEqual(NEED_SESSIONS)
  expect(count(checks), output).toEqual(only({ SUCCESS: 63, FAILURE: 4, WARNING: 2, INFO: 5 }))
}
