import { describe, expect, it } from 'vitest'
import { isSameOrigin } from '#lib/http/same-origin'

const ORIGIN = 'https://gatehouse.example'

describe('isSameOrigin', () => {
  it.each([
    { headers: { Origin: ORIGIN }, same: true },
    { headers: { Origin: `${ORIGIN}:8443` }, same: false },
    { headers: { Origin: 'http://gatehouse.example' }, same: false },
    { headers: { Origin: 'https://gatehouse.example.evil.example' }, same: false },
    { headers: { Origin: `${ORIGIN}/` }, same: false },
    { headers: { Origin: 'null' }, same: false },
    { headers: { Origin: 'null', 'Sec-Fetch-Site': 'same-origin' }, same: true },
    { headers: { Origin: 'null', 'Sec-Fetch-Site': 'cross-site' }, same: false },
    { headers: { Origin: 'null', 'Sec-Fetch-Site': 'same-site' }, same: false },
    { headers: { Origin: '' }, same: false },
    { headers: { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'same-origin' }, same: false },
    { headers: { 'Sec-Fetch-Site': 'same-origin' }, same: true },
    { headers: { 'Sec-Fetch-Site': 'same-site' }, same: false },
    { headers: { 'Sec-Fetch-Site': 'cross-site' }, same: false },
    { headers: { 'Sec-Fetch-Site': 'none' }, same: false },
    { headers: { Referer: `${ORIGIN}/` }, same: false },
    { headers: {}, same: false },
  ])('says $same for $headers', ({ headers, same }) => {
    const request = new Request(`${ORIGIN}/`, { method: 'POST', headers: headers as Record<string, string> })
    expect(isSameOrigin(request, ORIGIN)).toBe(same)
  })
})
