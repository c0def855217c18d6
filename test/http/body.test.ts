import { describe, expect, it } from 'vitest'
import { mediaType, readForm, readJson, readText } from '#lib/http/body'

const FORM = 'application/x-www-form-urlencoded'

function post(body: BodyInit | null, type?: string, headers: Record<string, string> = {}): Request {
  const init = { method: 'POST', body, headers: { ...(type ? { 'Content-Type': type } : {}), ...headers } }
  return new Request('https://gatehouse.example/', { ...init, duplex: 'half' } as RequestInit)
}

/** A body that arrives in pieces without a length, and counts how many were asked for. */
function streamed(pieces: readonly (string | Uint8Array)[]) {
  const asked = { count: 0 }
  const encoder = new TextEncoder()
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const piece = pieces[asked.count]
        asked.count += 1
        if (piece === undefined) controller.close()
        else controller.enqueue(typeof piece === 'string' ? encoder.encode(piece) : piece)
      },
    },
    { highWaterMark: 0 },
  )
  return { body, asked }
}

describe('readText', () => {
  it('reads a body up to its limit and no byte further', async () => {
    expect(await readText(post('x'.repeat(10)), 10)).toEqual({ ok: true, value: 'x'.repeat(10) })
    expect(await readText(post('x'.repeat(11)), 10)).toEqual({ ok: false, error: 'too_large' })
  })

  it('counts bytes, not characters', async () => {
    expect(await readText(post('é'.repeat(6)), 10)).toEqual({ ok: false, error: 'too_large' })
  })

  it('refuses by the declared length before it reads', async () => {
    const { body, asked } = streamed(['x'])
    const request = post(body, FORM, { 'Content-Length': '11' })
    expect(await readText(request, 10)).toEqual({ ok: false, error: 'too_large' })
    expect(asked.count).toBe(0)
  })

  it('stops reading a body without a length at the limit', async () => {
    const { body, asked } = streamed(Array.from({ length: 100 }, () => 'xxxxx'))
    expect(await readText(post(body), 10)).toEqual({ ok: false, error: 'too_large' })
    expect(asked.count).toBeLessThan(6)
  })

  it('joins a character that was cut between two pieces', async () => {
    const [first, second] = [Uint8Array.of(0xc3), Uint8Array.of(0xa9)]
    expect(await readText(post(streamed([first, second]).body), 10)).toEqual({ ok: true, value: 'é' })
  })

  it.each([
    { what: 'a lone continuation byte', bytes: [0x80] },
    { what: 'a character that is cut at the end', bytes: [0x61, 0xc3] },
    { what: 'an overlong slash', bytes: [0xc0, 0xaf] },
    { what: 'a surrogate', bytes: [0xed, 0xa0, 0x80] },
  ])('calls $what malformed', async ({ bytes }) => {
    expect(await readText(post(Uint8Array.from(bytes)), 10)).toEqual({ ok: false, error: 'malformed' })
  })

  it('reads no body as nothing', async () => {
    expect(await readText(post(null), 10)).toEqual({ ok: true, value: '' })
  })
})

describe('readJson', () => {
  it.each([
    { what: 'JSON', type: 'application/json', body: '{"a":1}', result: { ok: true, value: { a: 1 } } },
    {
      what: 'a parameter',
      type: 'Application/JSON; charset=utf-8',
      body: '[]',
      result: { ok: true, value: [] },
    },
    { what: 'no type', type: '', body: '{}', result: { ok: false, error: 'media_type' } },
    { what: 'text', type: 'text/plain', body: '{}', result: { ok: false, error: 'media_type' } },
    {
      what: 'a type that only begins alike',
      type: 'application/json-seq',
      body: '{}',
      result: { ok: false, error: 'media_type' },
    },
    {
      what: 'half of JSON',
      type: 'application/json',
      body: '{"a":',
      result: { ok: false, error: 'malformed' },
    },
    { what: 'nothing', type: 'application/json', body: '', result: { ok: false, error: 'malformed' } },
    {
      what: 'too much',
      type: 'application/json',
      body: `"${'x'.repeat(99)}"`,
      result: { ok: false, error: 'too_large' },
    },
  ])('answers $result.error to $what', async ({ type, body, result }) => {
    expect(await readJson(post(new TextEncoder().encode(body), type), 50)).toEqual(result)
  })
})

describe('readForm', () => {
  it('keeps duplicates and empty values for the caller to judge', async () => {
    const form = await readForm(post('a=1&a=2&b=&c=%C3%A9+x', FORM), 100)
    expect(form.ok && [...form.value]).toEqual([
      ['a', '1'],
      ['a', '2'],
      ['b', ''],
      ['c', 'é x'],
    ])
  })

  it('refuses JSON and multipart', async () => {
    expect(await readForm(post('{}', 'application/json'), 100)).toEqual({ ok: false, error: 'media_type' })
    expect(await readForm(post(new FormData()), 1000)).toEqual({ ok: false, error: 'media_type' })
  })
})

describe('mediaType', () => {
  it.each([
    { header: 'TEXT/HTML ; charset=x', type: 'text/html' },
    { header: 'application/json', type: 'application/json' },
    { header: '', type: '' },
  ])('of "$header" is "$type"', ({ header, type }) => {
    expect(mediaType(new Request('https://a.example/', { headers: { 'Content-Type': header } }))).toBe(type)
  })
})
