import type { Result } from '#lib/core/result'
import type { Answers, Operation } from '#lib/store/port'

/**
 * A decision that needs one operation of the store. Domains offer checks; the composition root runs those of
 * several domains in one request (`Store.batch`) and lets each decide on its own answer.
 */
export interface Check<Kind extends Operation['kind'], Value, Refusal> {
  readonly operation: Extract<Operation, { kind: Kind }>
  decide(answer: Answers[Kind]): Result<Value, Refusal>
}
