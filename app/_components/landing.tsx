import type { LandingModel } from '#lib/dashboard/dashboard'
import type { PermissionGroup } from '#lib/dashboard/permissions'
import { CopyField } from './copy-field'
import { Frame } from './frame'
import { HostTabs } from './host-tabs'

/** What this server is, how to add it to an app, and what an app can then do. */
export function Landing({ model, signedIn }: { readonly model: LandingModel; readonly signedIn: boolean }) {
  const { serverName, mcpUrl, hosts, abilities } = model
  return (
    <Frame
      serverName={serverName}
      corner={
        <a className="button" href={signedIn ? '/dashboard' : '/sign-in'}>
          {signedIn ? 'Your connections' : 'Sign in'}
        </a>
      }
    >
      <div className="landing">
        <div className="landing-words">
          <h1>{serverName}, in the AI apps you use</h1>
          <p className="lead">
            Connect Claude, ChatGPT, Cursor or any other app that speaks MCP. You see what each app may do
            before it may do it, and you can end it at any time.
          </p>
          <div className="field">
            <h2 className="label">MCP URL</h2>
            <CopyField text={mcpUrl} name="the MCP URL" />
          </div>
          <ol className="steps">
            <li>Paste the URL into your app, where it asks for a server or a connector.</li>
            <li>Your browser opens this server. Sign in.</li>
            <li>Read what the app asks for, and allow or deny it.</li>
          </ol>
        </div>
        <section className="card" aria-labelledby="add">
          <h2 id="add">Add it to your app</h2>
          <HostTabs hosts={hosts} />
        </section>
      </div>
      {abilities.length > 0 ? <Abilities groups={abilities} /> : null}
    </Frame>
  )
}

function Abilities({ groups }: { readonly groups: readonly PermissionGroup[] }) {
  return (
    <section className="landing-more" aria-labelledby="can">
      <h2 id="can">What an app can do here</h2>
      <p className="muted">Only with your permission, and only with what is yours.</p>
      <div className="groups">
        {groups.map(({ permission, tools }) => (
          <section className="group" key={permission.name} aria-labelledby={`can-${permission.name}`}>
            <h3 id={`can-${permission.name}`}>{permission.sentence}</h3>
            {permission.includes.length > 0 ? (
              <p className="small muted">Includes: {permission.includes.join('; ').toLowerCase()}</p>
            ) : null}
            <ul>
              {tools.map((tool) => (
                <li key={tool.name}>{tool.title}</li>
              ))}
            </ul>
          </section>
        ))}
      </div>
    </section>
  )
}
