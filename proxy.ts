import { type NextRequest, NextResponse } from 'next/server'

/**
 * Gives the React pages a policy of their own: only scripts of this page run (a nonce for each answer).
 * It runs on these paths and nothing else: it would double the cost of a call and cut long bodies.
 */
export function proxy(request: NextRequest): NextResponse {
  const policy = policyFor(crypto.randomUUID())
  const headers = new Headers(request.headers)
  // Next reads the nonce from here and puts it on its own scripts.
  headers.set('Content-Security-Policy', policy)

  const response = NextResponse.next({ request: { headers } })
  response.headers.set('Content-Security-Policy', policy)
  response.headers.set('X-Frame-Options', 'DENY')
  response.headers.set('X-Content-Type-Options', 'nosniff')
  // Not `no-referrer`: Chromium then sends `Origin: null` with our own forms.
  response.headers.set('Referrer-Policy', 'same-origin')
  response.headers.set('Cross-Origin-Opener-Policy', 'same-origin')
  return response
}

export const config = { matcher: ['/', '/dashboard', '/dashboard/tokens', '/dashboard/account'] }

function policyFor(nonce: string): string {
  // React uses eval for its messages during development, and Next brings fonts and inline styles for its overlay.
  // biome-ignore lint/style/noProcessEnv: a constant the compiler puts in, not a setting.
  const isDevelopment = process.env.NODE_ENV === 'development'
  return [
    "default-src 'none'",
    `script-src 'self' 'nonce-${nonce}' 'strict-dynamic'${isDevelopment ? " 'unsafe-eval'" : ''}`,
    `style-src 'self'${isDevelopment ? " 'unsafe-inline'" : ''}`,
    "img-src 'self' data:",
    "connect-src 'self'",
    ...(isDevelopment ? ["font-src 'self'"] : []),
    "form-action 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join('; ')
}
