import type { Moment } from '#lib/dashboard/relative-time'

/** A moment in words, exactly for those who look closer. */
export function When({ moment }: { readonly moment: Moment }) {
  return (
    <time dateTime={moment.iso} title={moment.exact}>
      {moment.relative}
      <span className="visually-hidden"> ({moment.exact})</span>
    </time>
  )
}
