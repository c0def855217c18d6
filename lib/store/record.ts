import type { z } from 'zod'
import { SWAP_ATTEMPTS } from '#lib/config/limits'
import { get, swap } from '#lib/store/operations'
import { type Store, StoreUnavailable, type Swapped } from '#lib/store/port'

/**
 * A stored record does not parse. It is an outage for its owner (503) and an alarm for the operator, never
 * "absent": treating it so would let someone write over it. The message carries the key's kind, not the key.
 */
export class UnreadableRecord extends Error {
  override readonly name = 'UnreadableRecord'
}

/**
 * Parses a stored record.
 *
 * @throws UnreadableRecord when the text is not JSON of that schema
 */
export function parseRecord<Schema extends z.ZodType>(schema: Schema, text: string): z.output<Schema> {
  try {
    return schema.parse(JSON.parse(text))
  } catch {
    throw new UnreadableRecord('a stored record does not parse')
  }
}

/** Reads a record from the leader; `undefined` when there is none. */
export async function readRecord<Schema extends z.ZodType>(
  store: Store,
  key: string,
  schema: Schema,
): Promise<z.output<Schema> | undefined> {
  const text = await store.run(get(key, { fresh: true }))
  return text === null ? undefined : parseRecord(schema, text)
}

/** What an edit decided: write `next` (`null` deletes), or leave the record as it is; either way `answer`. */
export type Edit<Value, Answer> =
  | { readonly write: Value | null; readonly ttlMs?: number | undefined; readonly answer: Answer }
  | { readonly leave: true; readonly answer: Answer }

/**
 * Changes a record by compare-and-swap: reads it from the leader, lets `decide` look, commits, and starts
 * over when somebody else was faster. `decide` may run several times and must have no effects.
 *
 * A write whose reply was lost is retried and then looks like somebody else's: `decide` is shown what it wrote
 * itself and must be able to tell. A record that is not there is not made here: that is `set` with `ifAbsent`.
 *
 * @returns what `decide` answered for the state that stands
 * @throws StoreUnavailable after too many lost races
 */
export async function editRecord<Schema extends z.ZodType, Answer>(
  store: Store,
  { key, schema }: { key: string; schema: Schema },
  decide: (
    current: z.output<Schema> | undefined,
  ) => Edit<z.output<Schema>, Answer> | Promise<Edit<z.output<Schema>, Answer>>,
): Promise<Answer> {
  let text = await store.run(get(key, { fresh: true }))
  for (let attempt = 0; attempt < SWAP_ATTEMPTS; attempt++) {
    const edit = await decide(text === null ? undefined : parseRecord(schema, text))
    if ('leave' in edit) return edit.answer

    const swapped = await commit(store, { key, text, edit })
    if (swapped.done) return edit.answer
    text = swapped.current
  }
  throw new StoreUnavailable('too many writers on one record')
}

async function commit<Value, Answer>(
  store: Store,
  {
    key,
    text,
    edit,
  }: { key: string; text: string | null; edit: Exclude<Edit<Value, Answer>, { leave: true }> },
): Promise<Swapped> {
  const next = edit.write === null ? null : JSON.stringify(edit.write)
  if (text !== null) return store.run(swap(key, text, next, edit.ttlMs))
  if (next !== null) throw new Error('an edit wrote to a record that is not there')
  return { done: true }
}
