import type { ReactNode } from 'react'
import { Mark } from './mark'

/** The frame of a React page: the server's name at the left, what the reader can do at the right. */
export function Frame({
  serverName,
  corner,
  children,
}: {
  readonly serverName: string
  readonly corner?: ReactNode
  readonly children: ReactNode
}) {
  return (
    <>
      <a className="skip" href="#main">
        Skip to the page
      </a>
      <header className="top">
        <a href="/" className="brand">
          <Mark />
          <span>{serverName}</span>
        </a>
        {corner ? <nav aria-label="Account">{corner}</nav> : null}
      </header>
      <main id="main">{children}</main>
    </>
  )
}
