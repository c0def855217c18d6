/** The mark: an arch in a square. Drawn at 20, 32 and 64 px; the favicon is the same drawing. */
export function Mark({ size = 32 }: { readonly size?: 20 | 32 | 64 }) {
  return (
    <svg className="mark" viewBox="0 0 32 32" width={size} height={size} aria-hidden="true">
      <rect width="32" height="32" rx="8" className="mark-field" />
      <path className="mark-arch" d="M8.5 24.5V15a7.5 7.5 0 0 1 15 0v9.5" strokeWidth="3" />
      <path className="mark-door" d="M14 24.5V16a2 2 0 0 1 4 0v8.5" strokeWidth="2" />
    </svg>
  )
}
