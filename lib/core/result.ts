/**
 * The outcome of an operation that is expected to fail sometimes.
 *
 * Protocol code returns a `Result`; only bugs and broken infrastructure throw.
 */
export type Result<Value, Failure> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly error: Failure }

export const ok = <Value>(value: Value): Result<Value, never> => ({ ok: true, value })

export const err = <const Failure>(error: Failure): Result<never, Failure> => ({ ok: false, error })
