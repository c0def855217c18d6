import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { html } from '#lib/http/html'

describe('html', () => {
  it('lets no text become markup, in text and in attributes', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('<', '>', '&', '"', "'", 'a', '/', ' ', '`') }),
        (text) => {
          const { markup } = html`<p title="${text}">${text}</p>`
          const [, title = '', body = ''] = /^<p title="([^"<>]*)">([^<>"]*)<\/p>$/.exec(markup) ?? []
          expect(plain(title)).toBe(text)
          expect(plain(body)).toBe(text)
        },
      ),
    )
  })

  it.each([
    { what: 'an element', value: '<img src=x onerror=alert(1)>', out: '&lt;img src=x onerror=alert(1)&gt;' },
    {
      what: 'the end of an attribute',
      value: `" autofocus onfocus='x`,
      out: '&quot; autofocus onfocus=&#39;x',
    },
    { what: 'an entity', value: '&lt;', out: '&amp;lt;' },
    { what: 'a number', value: 7, out: '7' },
    { what: 'zero', value: 0, out: '0' },
    { what: 'nothing', value: undefined, out: '' },
    { what: 'a condition that is not met', value: false as const, out: '' },
    { what: 'markup of its own', value: html`<b>${'<'}</b>`, out: '<b>&lt;</b>' },
    { what: 'a list of markup', value: [html`<i>1</i>`, html`<i>${'&'}</i>`], out: '<i>1</i><i>&amp;</i>' },
  ])('renders $what', ({ value, out }) => {
    expect(html`${value}`.markup).toBe(out)
  })

  it('keeps what stands around and between the values', () => {
    expect(html`a${'b'}c${'d'}e`.markup).toBe('abcde')
  })
})

const plain = (text: string) =>
  text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&')
