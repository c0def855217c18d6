import { err, ok, type Result } from '#lib/core/result'

/** Why a request body was not read. Each is one status: 415, 413, 400. */
export type BodyProblem = 'media_type' | 'too_large' | 'malformed'

/** The media type of a request without its parameters, in lower case. */
export function mediaType(request: Request): string {
  return (request.headers.get('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
}

/** Reads a body as strict UTF-8 of at most `maxBytes`, counted while it arrives. */
export async function readText(request: Request, maxBytes: number): Promise<Result<string, BodyProblem>> {
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) return err('too_large')
  if (!request.body) return ok('')

  const decoder = new TextDecoder('utf-8', { fatal: true })
  let text = ''
  let size = 0
  try {
    for await (const chunk of request.body) {
      size += chunk.byteLength
      if (size > maxBytes) return err('too_large')
      text += decoder.decode(chunk, { stream: true })
    }
    return ok(text + decoder.decode())
  } catch {
    return err('malformed')
  }
}

/** Reads a JSON body. */
export async function readJson(request: Request, maxBytes: number): Promise<Result<unknown, BodyProblem>> {
  if (mediaType(request) !== 'application/json') return err('media_type')
  const text = await readText(request, maxBytes)
  if (!text.ok) return text
  try {
    return ok(JSON.parse(text.value))
  } catch {
    return err('malformed')
  }
}

/** Reads a form body (`application/x-www-form-urlencoded` only; duplicates are kept for the caller to refuse). */
export async function readForm(
  request: Request,
  maxBytes: number,
): Promise<Result<URLSearchParams, BodyProblem>> {
  if (mediaType(request) !== 'application/x-www-form-urlencoded') return err('media_type')
  const text = await readText(request, maxBytes)
  return text.ok ? ok(new URLSearchParams(text.value)) : text
}
