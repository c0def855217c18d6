import type { Metadata, Viewport } from 'next'
import type { ReactNode } from 'react'
import { STYLE_SHEET } from '#lib/dashboard/assets'

export const metadata: Metadata = {
  icons: { icon: { url: '/icon.svg', type: 'image/svg+xml' } },
  referrer: 'same-origin',
}

export const viewport: Viewport = { colorScheme: 'light dark' }

export default function Layout({ children }: { readonly children: ReactNode }) {
  return (
    <html lang="en">
      <head>
        <link rel="stylesheet" href={STYLE_SHEET} />
      </head>
      <body className="page">{children}</body>
    </html>
  )
}
