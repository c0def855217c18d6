import type { StandardSchemaWithJSON } from '@modelcontextprotocol/server'
import type { z } from 'zod'

/** The dialect of every schema on the wire (MCP 2025-11-25 and later). */
const TARGET = 'draft-2020-12'

type JsonSchema = Readonly<Record<string, unknown>>

/** A zod schema in the form the SDK takes, whose JSON Schema is made once instead of at every request. */
export interface Frozen<Schema extends z.ZodObject>
  extends StandardSchemaWithJSON<z.input<Schema>, z.output<Schema>> {
  readonly json: JsonSchema
}

/**
 * Prepares a schema for serving. Making JSON Schema from zod costs about 0.2 ms a tool, which a server that
 * is built for every request would pay again and again.
 *
 * @param io - which side of the schema the wire sees: what is taken in, or what is given out
 */
export function frozen<Schema extends z.ZodObject>(schema: Schema, io: 'input' | 'output'): Frozen<Schema> {
  const standard = schema['~standard']
  const json = deepFreeze({ type: 'object', ...standard.jsonSchema[io]({ target: TARGET }) })
  return {
    json,
    '~standard': {
      version: 1,
      vendor: standard.vendor,
      validate: (value: unknown) => standard.validate(value),
      jsonSchema: { input: () => json, output: () => json },
    },
  }
}

/** Freezes what every request shares. */
export function deepFreeze<Value>(value: Value): Value {
  if (value !== null && typeof value === 'object' && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const member of Object.values(value)) deepFreeze(member)
  }
  return value
}
