declare const brand: unique symbol

/** Markup that is safe to send: made only by `html`, which escapes every value put into it. */
export type Html = { readonly markup: string; readonly [brand]: 'Html' }

type Value = string | number | Html | undefined | false | readonly Html[]

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/**
 * Builds markup from a template. Strings are escaped for text and for quoted attributes; markup of `html` is
 * kept; `undefined` and `false` give nothing. Attribute values must stand in quotes in the template.
 */
export function html(template: TemplateStringsArray, ...values: readonly Value[]): Html {
  const markup = template.reduce((before, part, index) => before + render(values[index - 1]) + part)
  return { markup } as Html
}

function render(value: Value): string {
  if (value === undefined || value === false) return ''
  if (typeof value === 'number') return String(value)
  if (typeof value === 'string') return value.replace(/[&<>"']/g, (character) => entities[character] ?? '')
  if (isList(value)) return value.map((item) => item.markup).join('')
  return value.markup
}

const isList = (value: Html | readonly Html[]): value is readonly Html[] => Array.isArray(value)
