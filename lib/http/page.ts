import { PAGE_HEADERS } from '#lib/http/headers'
import { type Html, html } from '#lib/http/html'

/** A page without React: sign-in, consent, approval, refusal and done pages. */
export interface Page {
  readonly title: string
  readonly body: Html
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** Path of one external script of our own; the page must work without it. */
  readonly script?: string
}

const mark = html`<svg class="mark" viewBox="0 0 32 32" width="32" height="32" aria-hidden="true"><rect width="32" height="32" rx="8" class="mark-field"/><path class="mark-arch" d="M8.5 24.5V15a7.5 7.5 0 0 1 15 0v9.5" stroke-width="3"/><path class="mark-door" d="M14 24.5V16a2 2 0 0 1 4 0v8.5" stroke-width="2"/></svg>`

/** Draws a page in the product's frame and gives it the policy of DESIGN.md §3. */
export function pageResponse(
  page: Page,
  server: { readonly name: string; readonly version: string },
): Response {
  const document = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>${page.title} · ${server.name}</title>
<link rel="icon" href="/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/gatehouse.css?v=${server.version}">
${page.script ? html`<script src="${page.script}?v=${server.version}" defer></script>` : undefined}
</head>
<body class="decision">
<header class="decision-head"><a href="/" class="brand">${mark}<span>${server.name}</span></a></header>
<main class="decision-main">${page.body}</main>
</body>
</html>`
  return new Response(document.markup, {
    status: page.status ?? 200,
    headers: { ...PAGE_HEADERS, ...page.headers },
  })
}
