import type { ReactNode } from 'react'
import { Frame } from './frame'

const pages = [
  { href: '/dashboard', name: 'Connections' },
  { href: '/dashboard/tokens', name: 'Tokens' },
  { href: '/dashboard/account', name: 'Account' },
] as const

interface DashboardFrameProps {
  readonly serverName: string
  /** The page that is open. */
  readonly page: (typeof pages)[number]['href']
  readonly userName: string
  /** Hidden fields of the form that signs out. */
  readonly signOutFields: Readonly<Record<string, string>>
  readonly children: ReactNode
}

/** The frame of the pages of a person who is signed in: the pages, who it is, and the way out. */
export function DashboardFrame({ serverName, page, userName, signOutFields, children }: DashboardFrameProps) {
  return (
    <Frame
      serverName={serverName}
      sections={pages.map(({ href, name }) => (
        <a key={href} href={href} aria-current={href === page ? 'page' : undefined}>
          {name}
        </a>
      ))}
      corner={
        <>
          <span className="signed-in muted">
            <span>Signed in as</span> <b>{userName}</b>
          </span>
          <form action="/sign-out" method="post">
            {Object.entries(signOutFields).map(([field, value]) => (
              <input key={field} type="hidden" name={field} value={value} />
            ))}
            <button type="submit" className="button">
              Sign out
            </button>
          </form>
        </>
      }
    >
      {children}
    </Frame>
  )
}
