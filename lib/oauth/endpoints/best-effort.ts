import type { OAuthDeps } from '#lib/oauth/endpoints/deps'

/**
 * Does what may fail after a decision was committed (auditing, tidying): the answer stands either way, and
 * the log says that it failed.
 */
export async function bestEffort(
  { log }: Pick<OAuthDeps, 'log'>,
  act: () => Promise<unknown>,
): Promise<void> {
  try {
    await act()
  } catch (error) {
    log('warn', 'after_decision_failed', { error: error instanceof Error ? error.name : 'unknown' })
  }
}
