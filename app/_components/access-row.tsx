import type { ReactNode } from 'react'
import type { Permission } from '#lib/dashboard/permissions'
import type { Moment } from '#lib/dashboard/relative-time'
import { Confirm } from './confirm'
import { When } from './when'

interface AccessRowProps {
  /** What is listed, such as "connection to Claude": names the buttons. */
  readonly what: string
  readonly name: string
  /** Marks, name and what stands under it. */
  readonly who: ReactNode
  readonly may: readonly Permission[]
  readonly lastUsed: Moment | undefined
  /** "Connected" or "Created", and when. */
  readonly began: { readonly word: string; readonly moment: Moment }
  readonly end: {
    readonly action: string
    /** Hidden fields of the form. */
    readonly fields: Readonly<Record<string, string>>
    readonly question: ReactNode
    readonly consequence: string
  }
}

/** One way into the account: who, what it may do, since when, and how to end it. Works without script. */
export function AccessRow({ what, name, who, may, lastUsed, began, end }: AccessRowProps) {
  return (
    <li className="connection">
      <div className="connection-who">{who}</div>
      <ul className="connection-may" aria-label={`What ${name} may do`}>
        {may.map((permission) => (
          <li key={permission.name}>
            {permission.sentence}
            {permission.includes.length > 0 ? (
              <span className="visually-hidden">, which includes: {permission.includes.join('; ')}</span>
            ) : null}
          </li>
        ))}
      </ul>
      <p className="connection-when">
        {lastUsed ? (
          <>
            Used <When moment={lastUsed} />
          </>
        ) : (
          'Not used yet'
        )}
        <br />
        {began.word} <When moment={began.moment} />
      </p>
      <Confirm verb="End" what={what} {...end} />
    </li>
  )
}
