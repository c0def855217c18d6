import type { ReactNode } from 'react'
import { Mark } from './mark'

/** The frame of a React page: the server's name at the left, what the reader can do at the right. */
export function Frame({
  serverName,
  sections,
  corner,
  children,
}: {
  readonly serverName: string
  /** Links between pages that belong together. */
  readonly sections?: ReactNode
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
        {sections ? (
          <nav className="sections" aria-label="Dashboard">
            {sections}
          </nav>
        ) : null}
        {corner ? <nav aria-label="Account">{corner}</nav> : null}
      </header>
      <main id="main">{children}</main>
    </>
  )
}
