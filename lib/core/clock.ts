/** Milliseconds since 1970, as a function, so that tests can move it. */
export type Clock = () => number

/** The machine's clock. The only reader of it besides the log. */
export const systemClock: Clock = () => Date.now()

/** Whole seconds since 1970: the unit of OAuth and JWT (RFC 7519 §2, NumericDate). */
export const toSeconds = (ms: number): number => Math.floor(ms / 1000)

/** Waits, in milliseconds, as a function, so that tests need not. */
export type Pause = (ms: number) => Promise<void>

/** Waits by the machine's timer. */
export const systemPause: Pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
