import type { AccountModel } from '#lib/dashboard/account'
import { Confirm, HiddenFields } from './confirm'
import { When } from './when'

/** How many recovery codes are left, and how to make ten new ones. */
export function RecoveryCodes({ model }: { readonly model: AccountModel }) {
  const { recovery, codeSet, isOwner, csrf } = model
  const action = '/dashboard/account/recovery-codes'
  const fields = { csrf: csrf.codes, replaces: codeSet }
  return (
    <section aria-labelledby="codes">
      <div className="page-head">
        <div>
          <h2 id="codes">Recovery codes</h2>
          <p className="muted">
            Ten codes on paper for the day when your devices are lost. Each signs you in once.{' '}
            {isOwner
              ? 'As the owner you can also always make a sign-in link with the settings of this server.'
              : 'Without them you would have to ask the person who runs this server for a link.'}
          </p>
        </div>
      </div>
      {recovery ? (
        <ul className="connections">
          <li className="connection">
            <div className="connection-who">
              <div>
                <h3>{recovery.left} of 10 left</h3>
                {recovery.left < 3 ? (
                  <p className="small">
                    <span className="badge badge-careful">Make new ones soon</span>
                  </p>
                ) : null}
              </div>
            </div>
            <p>Shown once, when they were made</p>
            <p className="connection-when">
              Made <When moment={recovery.made} />
            </p>
            <Confirm
              verb="Replace"
              what="recovery codes"
              question="Replace your recovery codes?"
              consequence="You get ten new codes, and those that you have now stop working at once."
              action={action}
              fields={fields}
            />
          </li>
        </ul>
      ) : (
        <div className="card nothing">
          <p>You have none.</p>
          <form action={action} method="post">
            <HiddenFields fields={fields} />
            <button type="submit" className="button">
              Make recovery codes
            </button>
          </form>
        </div>
      )}
    </section>
  )
}
