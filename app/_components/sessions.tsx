import type { AccountModel, OwnSession } from '#lib/dashboard/account'
import { Confirm, HiddenFields } from './confirm'
import { When } from './when'

/** The browsers that one is signed in with, and how to sign out each or all. */
export function Sessions({ model }: { readonly model: AccountModel }) {
  const { sessions, csrf } = model
  return (
    <section aria-labelledby="browsers">
      <div className="page-head">
        <div>
          <h2 id="browsers">Browsers</h2>
          <p className="muted">
            Where you are signed in to these pages. A browser that is not used for 12 hours, and every one
            after 7 days, is signed out by itself. Apps that you connected are not browsers: they stay until
            you end them.
          </p>
        </div>
      </div>
      <ul className="connections">
        {sessions.map((session) => (
          <Row key={session.id} session={session} csrf={csrf.session} />
        ))}
        <li className="connection">
          <div className="connection-who">
            <h3>All browsers</h3>
          </div>
          <Confirm
            verb="Sign out"
            what="everywhere"
            stay={{ word: 'Stay', what: 'signed in' }}
            question="Sign out everywhere?"
            consequence="Every browser is signed out at once, this one too. Your apps and tokens stay connected."
            action="/dashboard/account/sessions/end-all"
            fields={{ csrf: csrf.everywhere }}
          />
        </li>
      </ul>
    </section>
  )
}

function Row({ session, csrf }: { readonly session: OwnSession; readonly csrf: string }) {
  const { id, browser, how, began, current } = session
  return (
    <li className="connection">
      <div className="connection-who">
        <div>
          <h3>{browser}</h3>
          {current ? (
            <p className="small">
              <span className="badge badge-good">This browser</span>
            </p>
          ) : null}
        </div>
      </div>
      <p>Signed in {how ?? 'before this list was kept'}</p>
      <p className="connection-when">
        <When moment={began} />
      </p>
      <form action="/dashboard/account/sessions/end" method="post" className="connection-act">
        <HiddenFields fields={{ csrf, session: id }} />
        <button type="submit" className="button">
          Sign out<span className="visually-hidden"> {current ? 'this browser' : browser}</span>
        </button>
      </form>
    </li>
  )
}
