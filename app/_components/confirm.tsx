import type { ReactNode } from 'react'

interface ConfirmProps {
  /** What the button does, in one word: "Remove". */
  readonly verb: string
  /** To what, such as "passkey Laptop": names the buttons. */
  readonly what: string
  readonly question: ReactNode
  readonly consequence: ReactNode
  readonly action: string
  /** Hidden fields of the form. */
  readonly fields: Readonly<Record<string, string>>
  /** The way out, where "Keep" does not say it. */
  readonly stay?: { readonly word: string; readonly what: string }
}

/** A button that first says what it will do. Works without script. */
export function Confirm({ verb, what, question, consequence, action, fields, stay }: ConfirmProps) {
  const { word, what: kept } = stay ?? { word: 'Keep', what }
  return (
    <details className="confirm" name="end">
      <summary>
        <span className="when-closed">
          {verb}
          <span className="visually-hidden"> {what}</span>
        </span>
        <span className="when-open">
          {word}
          <span className="visually-hidden"> {kept}</span>
        </span>
      </summary>
      <div className="confirm-panel">
        <h3>{question}</h3>
        <p>{consequence}</p>
        <form action={action} method="post">
          <HiddenFields fields={fields} />
          <button type="submit" className="button button-danger">
            {verb} {what}
          </button>
        </form>
      </div>
    </details>
  )
}

/** Fields of a form that nobody sees. */
export function HiddenFields({ fields }: { readonly fields: Readonly<Record<string, string>> }) {
  return Object.entries(fields).map(([field, value]) => (
    <input key={field} type="hidden" name={field} value={value} />
  ))
}
