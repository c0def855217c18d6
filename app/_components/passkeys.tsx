import type { AccountModel, OwnPasskey } from '#lib/dashboard/account'
import { Confirm, HiddenFields } from './confirm'
import { When } from './when'

/** One's passkeys: which there are, when each was used, how to rename or remove one and how to add another. */
export function Passkeys({ model }: { readonly model: AccountModel }) {
  const { passkeys, rpId, csrf } = model
  return (
    <section aria-labelledby="passkeys">
      <div className="page-head">
        <div>
          <h2 id="passkeys">Passkeys</h2>
          <p className="muted">
            {rpId === undefined
              ? 'Browsers make passkeys for host names only, and this server is reached at an IP address. The person who runs it can give it a name.'
              : 'A passkey signs you in with your fingerprint, your face, a PIN or a security key. Nobody can ask you for it by mail or on another site.'}
          </p>
        </div>
        {rpId === undefined ? null : (
          <a className="button" href="/sign-in/passkey/new">
            Add a passkey
          </a>
        )}
      </div>
      {passkeys.length > 0 ? (
        <ul className="connections">
          {passkeys.map((passkey) => (
            <Row key={passkey.ref} passkey={passkey} rpId={rpId} csrf={csrf} />
          ))}
        </ul>
      ) : (
        <p className="card nothing">
          You have no passkey: you sign in with a link{model.recovery?.left ? ' or a recovery code' : ''}.
        </p>
      )}
    </section>
  )
}

interface RowProps extends Pick<AccountModel, 'rpId' | 'csrf'> {
  readonly passkey: OwnPasskey
}

function Row({ passkey, rpId, csrf }: RowProps) {
  const { ref, name, works, where, created, lastUsed, lastWayIn } = passkey
  return (
    <li className="connection">
      <div className="connection-who">
        <div>
          <h3>
            <bdi>{name}</bdi>
          </h3>
          {works ? null : (
            <p className="small">
              <span className="badge badge-careful">Does not work here</span>
            </p>
          )}
        </div>
      </div>
      <p>{where}</p>
      <p className="connection-when">
        {lastUsed ? (
          <>
            Used <When moment={lastUsed} />
          </>
        ) : (
          'Not used yet'
        )}
        <br />
        Added <When moment={created} />
      </p>
      <Cautions passkey={passkey} rpId={rpId} />
      <Rename passkey={passkey} csrf={csrf} />
      {lastWayIn ? (
        <LastWayIn name={name} />
      ) : (
        <Confirm
          verb="Remove"
          what={`passkey ${name}`}
          question={
            <>
              Remove the passkey <bdi>{name}</bdi>?
            </>
          }
          consequence={
            works
              ? 'It takes effect at once: it no longer signs you in. Browsers that are signed in now stay so until you sign them out below.'
              : 'It signs nobody in as it is. Removing it tidies your list.'
          }
          action="/dashboard/account/passkeys/remove"
          fields={{ csrf: csrf.remove, passkey: ref }}
        />
      )}
    </li>
  )
}

/** What the person has to know about a passkey, in a line of its own. */
function Cautions({ passkey, rpId }: Omit<RowProps, 'csrf'>) {
  const { works, rpId: madeFor, copySeen } = passkey
  if (works && !copySeen) return null
  return (
    <div className="connection-note">
      {works ? null : (
        <p>
          It was made when this server had the address <span className="mono">{madeFor}</span>. Passkeys
          belong to the address they were made at,{' '}
          {rpId === undefined ? (
            'and this server has no host name now.'
          ) : (
            <>
              and it is <span className="mono">{rpId}</span> now. Add a new one and remove this one.
            </>
          )}
        </p>
      )}
      {copySeen ? (
        <p>
          <strong>It may have been copied.</strong> A sign-in with it was refused <When moment={copySeen} />,
          because it had been used somewhere else since. If that was not you, remove it and sign out
          everywhere.
        </p>
      ) : null}
    </div>
  )
}

function Rename({ passkey: { ref, name }, csrf }: Omit<RowProps, 'rpId'>) {
  const id = `name-${ref}`
  return (
    <details className="more connection-note">
      <summary>
        Rename<span className="visually-hidden"> passkey {name}</span>
      </summary>
      <form action="/dashboard/account/passkeys/rename" method="post" className="line-form">
        <HiddenFields fields={{ csrf: csrf.rename, passkey: ref }} />
        <div className="field">
          <label htmlFor={id}>Name</label>
          <input id={id} name="name" required maxLength={64} autoComplete="off" defaultValue={name} />
        </div>
        <button type="submit" className="button">
          Save the name
        </button>
      </form>
    </details>
  )
}

/** Why there is no button to remove it with. */
function LastWayIn({ name }: { readonly name: string }) {
  return (
    <details className="confirm" name="end">
      <summary>
        <span className="when-closed">
          Remove<span className="visually-hidden"> passkey {name}</span>
        </span>
        <span className="when-open">
          Close<span className="visually-hidden"> the explanation</span>
        </span>
      </summary>
      <div className="confirm-panel confirm-panel-calm">
        <h3>This is your only way in</h3>
        <p>
          Without it you could sign in only with a link from the person who runs this server. Add another
          passkey or make recovery codes first; then you can remove this one.
        </p>
      </div>
    </details>
  )
}
