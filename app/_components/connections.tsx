import type { Connection } from '#lib/dashboard/connections'
import type { ConnectionsModel, LandingModel } from '#lib/dashboard/dashboard'
import { AccessRow } from './access-row'
import { CopyField } from './copy-field'
import { DashboardFrame } from './dashboard-frame'
import { HostTabs } from './host-tabs'

interface ConnectionsProps {
  readonly server: LandingModel
  readonly model: ConnectionsModel
  /** How the person is called. */
  readonly userName: string
  /** A connection was just ended. */
  readonly ended: boolean
}

/** One's connections: who may do what, since when, and how to stop it. */
export function Connections({ server, model, userName, ended }: ConnectionsProps) {
  const { connections, endCsrf, signOutFields } = model
  return (
    <DashboardFrame
      serverName={server.serverName}
      page="/dashboard"
      userName={userName}
      signOutFields={signOutFields}
    >
      {ended ? (
        <p className="notice notice-good" role="status">
          The connection has ended. From now on that app is refused, until you allow it again.
        </p>
      ) : null}
      {connections.length > 0 ? (
        <List serverName={server.serverName} connections={connections} csrf={endCsrf} />
      ) : (
        <Empty server={server} />
      )}
    </DashboardFrame>
  )
}

function List({
  serverName,
  connections,
  csrf,
}: {
  readonly serverName: string
  readonly connections: readonly Connection[]
  readonly csrf: string
}) {
  const count = connections.length
  return (
    <>
      <div className="page-head">
        <div>
          <h1>Your connections</h1>
          <p className="muted">
            {count === 1 ? 'One app can' : `${count} apps can`} use {serverName} as you.
          </p>
        </div>
        <a className="button" href="/">
          Connect another app
        </a>
      </div>
      <ul className="connections">
        {connections.map((connection) => (
          <Row key={connection.id} connection={connection} csrf={csrf} />
        ))}
      </ul>
      {connections.some((connection) => !connection.verified) ? (
        <p className="below">
          “Registered itself” means that the name is what the app says of itself. Rely on the place under the
          name: that is where your answer went.
        </p>
      ) : null}
    </>
  )
}

function Row({ connection, csrf }: { readonly connection: Connection; readonly csrf: string }) {
  const { id, appName, initials, verified, home, may, connected, lastUsed } = connection
  return (
    <AccessRow
      what={`connection to ${appName}`}
      name={appName}
      may={may}
      lastUsed={lastUsed}
      began={{ word: 'Connected', moment: connected }}
      end={{
        action: '/dashboard/connections/end',
        fields: { csrf, connection: id },
        question: <>End the connection to {appName}?</>,
        consequence: `It takes effect at once: the next request of ${appName} is refused. What it has read or saved so far stays where it is. It can ask again, and then you decide again.`,
      }}
      who={
        <>
          <span className="arch" aria-hidden="true">
            {initials}
          </span>
          <div>
            <h2>{appName}</h2>
            <p className="small muted">
              <span>{home}</span>
              <span className={verified ? 'badge badge-good' : 'badge'}>
                {verified ? 'Verified' : 'Registered itself'}
              </span>
            </p>
          </div>
        </>
      }
    />
  )
}

function Empty({ server }: { readonly server: LandingModel }) {
  return (
    <div className="empty">
      <div className="flow">
        <h1>No app is connected</h1>
        <p className="lead">
          Nothing can use {server.serverName} as you. Add it to an app, and the connection appears here with
          what it may do and a button to end it.
        </p>
        <CopyField text={server.mcpUrl} name="the MCP URL" />
      </div>
      <section className="card" aria-labelledby="add">
        <h2 id="add">Add it to your app</h2>
        <HostTabs hosts={server.hosts} />
      </section>
    </div>
  )
}
