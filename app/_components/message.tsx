import type { ReactNode } from 'react'
import { Mark } from './mark'

/** A page that says one thing: what happened, whose side it is on, what to do. */
export function Message({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <div className="decision">
      <header className="decision-head">
        <a href="/" className="brand">
          <Mark />
          <span>Start page</span>
        </a>
      </header>
      <main className="decision-main">
        <div className="card">
          <h1>{title}</h1>
          {children}
        </div>
      </main>
    </div>
  )
}
