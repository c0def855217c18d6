/** Runs once for each server process, never during a build (Next: instrumentation). */
export async function register(): Promise<void> {
  if (process.env['NEXT_RUNTIME'] === 'nodejs') await (await import('./instrumentation-node')).start()
}
