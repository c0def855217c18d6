import { openEventStream } from '#lib/mcp/live/event-stream'
import type { Answer } from '#lib/mcp/sessions/run-transport'

const STREAM = 'text/event-stream'
const JSON_FORM = 'application/json'

/**
 * An answer that is complete: JSON, or the same as events where the client names that form first. A client
 * has to take both (2025-11-25, Streamable HTTP, "Sending Messages to the Server").
 */
export function completeAnswer(
  answers: readonly Answer[],
  { request, batch }: { readonly request: Request; readonly batch: boolean },
): Response {
  if (!prefersEvents(request.headers.get('accept') ?? '')) return Response.json(batch ? answers : answers[0])

  const stream = openEventStream()
  for (const answer of answers) stream.send(answer)
  stream.end()
  return stream.response
}

/** Of forms with the same weight the one named first is preferred (as RFC 9110 §12.5.1 lets a server decide). */
function prefersEvents(accept: string): boolean {
  const ranges = accept.toLowerCase().split(',').map(readRange)
  const weightOf = (form: string) => ranges.find(({ type }) => type === form)?.weight ?? 0
  const [events, json] = [weightOf(STREAM), weightOf(JSON_FORM)]
  if (events !== json) return events > json && json > 0
  return events > 0 && ranges.find(({ type }) => type === STREAM || type === JSON_FORM)?.type === STREAM
}

function readRange(range: string): { readonly type: string; readonly weight: number } {
  const [type = '', ...parameters] = range.split(';').map((part) => part.trim())
  const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2)
  return { type, weight: weight === undefined ? 1 : Number(weight) || 0 }
}
