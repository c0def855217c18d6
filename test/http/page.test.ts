import { describe, expect, it } from 'vitest'
import { html } from '#lib/http/html'
import { pageOutage } from '#lib/http/outage-page'
import { pageResponse } from '#lib/http/page'
import { seeOther } from '#lib/http/redirect'

const server = { name: 'Notes & <more>', version: '1.2.3' }

describe('pageResponse', () => {
  it('carries the policy of pages that decide about access, without form-action', () => {
    const { headers, status } = pageResponse({ title: 'T', body: html`b` }, server)
    expect(status).toBe(200)
    expect(headers.get('content-security-policy')).toBe(
      "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'",
    )
    expect(Object.fromEntries(headers)).toMatchObject({
      'cache-control': 'no-store',
      'content-type': 'text/html; charset=utf-8',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
    })
  })

  it('escapes the title and the name, and keeps the body', async () => {
    const page = await pageResponse({ title: '<i>', body: html`<p>kept</p>` }, server).text()
    expect(page).toContain('<title>&lt;i&gt; · Notes &amp; &lt;more&gt;</title>')
    expect(page).toContain('<p>kept</p>')
  })

  it('has nothing that its own policy blocks', async () => {
    const page = await pageResponse({ title: 'T', body: html`b`, script: '/s.js' }, server).text()
    expect(page).toContain('<script src="/s.js?v=1.2.3" defer></script>')
    expect(page).not.toMatch(/<script>|<style|\sstyle=|\son\w+=|https?:\/\/(?!www\.w3\.org)/)
  })

  it('takes a status and headers of its own', () => {
    const page = { title: 'T', body: html`b`, status: 429, headers: { 'Retry-After': '60' } }
    const response = pageResponse(page, server)
    expect(response.status).toBe(429)
    expect(response.headers.get('retry-after')).toBe('60')
  })
})

describe('pageOutage', () => {
  it.each([{ status: 503 as const }, { status: 500 as const }])(
    'shows the code to quote at $status',
    async ({ status }) => {
      const response = pageOutage(server)({
        request: new Request('https://gatehouse.example/'),
        status,
        requestId: 'r<1>',
        headers: { 'Retry-After': '5' },
      })
      expect(response.status).toBe(status)
      expect(response.headers.get('retry-after')).toBe('5')
      expect(response.headers.get('set-cookie')).toBeNull()
      expect(await response.text()).toContain('r&lt;1&gt;')
    },
  )
})

describe('seeOther', () => {
  it('is a 303 that is not cached and leaks no address', () => {
    const response = seeOther('/dashboard', { 'Set-Cookie': 'a=b' })
    expect(response.status).toBe(303)
    expect(Object.fromEntries(response.headers)).toMatchObject({
      location: '/dashboard',
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'set-cookie': 'a=b',
    })
  })
})
