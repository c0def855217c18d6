import type { ReactNode } from 'react'
import type { AccountModel } from '#lib/dashboard/account'
import type { LandingModel } from '#lib/dashboard/dashboard'
import { DashboardFrame } from './dashboard-frame'
import { Passkeys } from './passkeys'
import { RecoveryCodes } from './recovery-codes'
import { Sessions } from './sessions'

interface AccountProps {
  readonly server: LandingModel
  readonly model: AccountModel
  /** How the person is called. */
  readonly userName: string
  /** What the address says was just done. */
  readonly asked: Readonly<Record<string, string | string[] | undefined>>
}

/** One's own account: the ways to sign in, and the browsers that are signed in. */
export function Account({ server, model, userName, asked }: AccountProps) {
  const { serverName } = server
  return (
    <DashboardFrame
      serverName={serverName}
      page="/dashboard/account"
      userName={userName}
      signOutFields={model.signOutFields}
    >
      <Done model={model} asked={asked} />
      <div className="page-head">
        <div>
          <h1>Your account</h1>
          <p className="muted">
            You are {userName}
            {model.isOwner ? ', the owner of this server' : ''}. Here is how you sign in to {serverName}, and
            where you are signed in.
          </p>
        </div>
      </div>
      <div className="sections-list">
        <Passkeys model={model} />
        <RecoveryCodes model={model} />
        <Sessions model={model} />
      </div>
    </DashboardFrame>
  )
}

/** Says what was just done, where what is shown bears it out: the address alone proves nothing. */
function Done({ model, asked }: Pick<AccountProps, 'model' | 'asked'>): ReactNode {
  const { passkeys, sessions, recovery } = model
  const has = (ref: unknown) => passkeys.some((passkey) => passkey.ref === ref)
  if (has(asked['added']))
    return (
      <Notice>
        {recovery?.left
          ? 'The passkey is added. From now on it signs you in.'
          : 'The passkey is added. From now on it signs you in. Make recovery codes too, for the day when your devices are lost.'}
      </Notice>
    )
  if (has(asked['renamed'])) return <Notice>The passkey has its new name.</Notice>
  if (typeof asked['removed'] === 'string' && !has(asked['removed']))
    return (
      <Notice>
        The passkey is removed and signs nobody in. Your device may still list it: delete it there.
      </Notice>
    )
  if (typeof asked['ended'] === 'string' && !sessions.some(({ id }) => id === asked['ended']))
    return <Notice>That browser is signed out.</Notice>
  if (asked['recovered'] === '1' && recovery)
    return (
      <Notice>
        You signed in with a recovery code, which is used up now. {leftInWords(recovery.left)} If you lost a
        device, remove its passkey below and add one on this device.
      </Notice>
    )
  return null
}

const leftInWords = (left: number) => (left === 0 ? 'It was the last one.' : `${left} of 10 are left.`)

function Notice({ children }: { readonly children: ReactNode }) {
  return (
    <p className="notice notice-good" role="status">
      {children}
    </p>
  )
}
