/**
 * A controller that aborts when any of the signals does. Abort it when its work is over: that takes it off
 * the signals. (`AbortSignal.any` of Node 20 may be collected while somebody still waits for it.)
 */
export function linkedAbort(...signals: readonly AbortSignal[]): AbortController {
  const controller = new AbortController()
  const stop = () => controller.abort()
  for (const signal of signals) {
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true, signal: controller.signal })
  }
  return controller
}
