import { CopyButton } from './copy-button'

/** One line to copy. `name` says what it is: "the URL". */
export function CopyField({ text, name }: { readonly text: string; readonly name: string }) {
  return (
    <div className="copy">
      <code>{text}</code>
      <CopyButton text={text} name={name} />
    </div>
  )
}

/** Several lines to copy. */
export function CopyBlock({ text, name }: { readonly text: string; readonly name: string }) {
  return (
    <div className="copy-block">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls sideways, also with the keyboard */}
      <pre tabIndex={0}>
        <code>{text}</code>
      </pre>
      <CopyButton text={text} name={name} />
    </div>
  )
}
