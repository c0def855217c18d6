/** What came back for one command: a result in RESP 2's shapes, or the server's error text. */
export type Reply = { readonly result: unknown } | { readonly error: string }

/** The server refused a command, or answered with something that the command cannot answer. */
export class BadReply extends Error {
  override readonly name = 'BadReply'
}

/**
 * The result of a reply.
 *
 * @throws BadReply with the error's code only (`WRONGTYPE`): the rest of the text may hold keys and values
 */
export function resultOf(reply: Reply | undefined): unknown {
  if (!reply) throw new BadReply('no reply')
  if ('error' in reply) throw new BadReply(/^[A-Z]+/.exec(reply.error)?.[0] ?? 'ERR')
  return reply.result
}

export function textOrNull(reply: Reply | undefined): string | null {
  const result = resultOf(reply)
  return result === null ? null : text(result)
}

export function text(result: unknown): string {
  if (typeof result !== 'string') throw new BadReply('not a text')
  return result
}

export function list(result: unknown): readonly unknown[] {
  if (!Array.isArray(result)) throw new BadReply('not a list')
  return result
}

/** An integer, or the text of a number. */
export function number(result: unknown): number {
  const value = typeof result === 'string' ? Number(result) : result
  if (typeof value !== 'number' || Number.isNaN(value)) throw new BadReply('not a number')
  return value
}

/** `[a, 1, b, 2]` as pairs. */
export function pairs(result: unknown): [string, unknown][] {
  const flat = list(result)
  return Array.from({ length: flat.length / 2 }, (_, index) => [text(flat[2 * index]), flat[2 * index + 1]])
}
