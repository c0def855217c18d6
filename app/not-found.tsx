import type { Metadata } from 'next'
import { Message } from './_components/message'

export const metadata: Metadata = { title: 'No such page' }

export default function NotFound() {
  return (
    <Message title="No such page">
      <p>There is nothing at this address. A link may be old, or the address mistyped.</p>
      <p className="actions">
        <a className="button" href="/">
          Start page
        </a>
        <a className="button" href="/dashboard">
          Your connections
        </a>
      </p>
    </Message>
  )
}
