import type { LandingModel, TokensModel } from '#lib/dashboard/dashboard'
import type { Token } from '#lib/dashboard/tokens'
import { AccessRow } from './access-row'
import { CreateToken } from './create-token'
import { DashboardFrame } from './dashboard-frame'
import { When } from './when'

interface TokensProps {
  readonly server: LandingModel
  readonly model: TokensModel
  /** How the person is called. */
  readonly userName: string
  /** A token was just ended. */
  readonly ended: boolean
}

/** One's personal access tokens: what each may do, until when, how to end it and how to make another. */
export function Tokens({ server, model, userName, ended }: TokensProps) {
  const { tokens, endCsrf, signOutFields } = model
  return (
    <DashboardFrame
      serverName={server.serverName}
      page="/dashboard/tokens"
      userName={userName}
      signOutFields={signOutFields}
    >
      {ended ? (
        <p className="notice notice-good" role="status">
          The token has ended. From now on whatever uses it is refused.
        </p>
      ) : null}
      <div className="page-head">
        <div>
          <h1>{tokens.length > 0 ? 'Your tokens' : 'You have no tokens'}</h1>
          <p className="muted">
            For programs and apps that cannot send you here to sign in: they take a token instead, and it lets
            them use {server.serverName} as you.
          </p>
        </div>
        {tokens.length > 0 ? (
          <a className="button" href="#create">
            New token
          </a>
        ) : null}
      </div>
      {tokens.length > 0 ? (
        <ul className="connections">
          {tokens.map((token) => (
            <Row key={token.id} token={token} csrf={endCsrf} />
          ))}
        </ul>
      ) : null}
      <CreateToken model={model} />
    </DashboardFrame>
  )
}

function Row({ token, csrf }: { readonly token: Token; readonly csrf: string }) {
  const { id, name, may, created, expires, expiresSoon, lastUsed } = token
  return (
    <AccessRow
      what={`token ${name}`}
      name={name}
      may={may}
      lastUsed={lastUsed}
      began={{ word: 'Created', moment: created }}
      end={{
        action: '/dashboard/tokens/end',
        fields: { csrf, token: id },
        question: (
          <>
            End the token <bdi>{name}</bdi>?
          </>
        ),
        consequence:
          'It takes effect at once: the next request with it is refused. A token that has ended cannot be brought back; you can create another.',
      }}
      who={
        <div>
          <h2>
            <bdi>{name}</bdi>
          </h2>
          <p className="small muted">
            <span className={expiresSoon ? 'badge badge-careful' : 'badge'}>
              <span>
                Expires <When moment={expires} />
              </span>
            </span>
          </p>
        </div>
      }
    />
  )
}
