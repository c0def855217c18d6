'use client'

import { useEffect, useRef, useState } from 'react'

type State = 'ready' | 'copied' | 'failed'

const words: Readonly<Record<State, string>> = { ready: 'Copy', copied: 'Copied', failed: 'Press Ctrl+C' }

/** How long the answer stays before the button offers to copy again. */
const ANSWER_MS = 2000

/**
 * Copies `text`. Where the browser refuses (plain http on another computer), it selects the text beside it
 * and says how to copy it. Hidden without script; the text can be selected with one click then.
 */
export function CopyButton({ text, name }: { readonly text: string; readonly name: string }) {
  const [state, setState] = useState<State>('ready')
  const button = useRef<HTMLButtonElement>(null)

  useEffect(() => {
    if (state === 'ready') return
    const timer = setTimeout(() => setState('ready'), ANSWER_MS)
    return () => clearTimeout(timer)
  }, [state])

  async function copy() {
    try {
      await navigator.clipboard.writeText(text)
      setState('copied')
    } catch {
      const shown = button.current?.parentElement?.querySelector('code')
      if (shown) getSelection()?.selectAllChildren(shown)
      setState('failed')
    }
  }

  return (
    <button
      type="button"
      ref={button}
      className="button button-quiet button-small needs-script"
      onClick={copy}
      aria-label={state === 'ready' ? `Copy ${name}` : undefined}
    >
      <span aria-live="polite">{words[state]}</span>
    </button>
  )
}
