'use client'

import { Message } from './_components/message'

/** What happened, whose side it is on, what to do, a code to quote. */
export default function PageError({ error, retry }: { readonly error: unknown; readonly retry: () => void }) {
  const code = error instanceof Error && 'digest' in error ? String(error.digest) : undefined
  return (
    <Message title="This page could not be shown">
      <p>
        The fault is on this server, not with you. Nothing was changed, and apps you connected keep what you
        allowed them.
      </p>
      <p className="actions">
        <button type="button" className="button button-primary" onClick={retry}>
          Try again
        </button>
      </p>
      {code ? (
        <p className="muted small">
          If it stays like this, quote <span className="code">{code}</span> to whoever runs this server.
        </p>
      ) : null}
    </Message>
  )
}
