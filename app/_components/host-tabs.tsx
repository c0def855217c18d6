import { firstGuide, type HostGuide, type HostStep } from '#lib/dashboard/hosts'
import { CopyBlock, CopyField } from './copy-field'

/** How to add this server to each host. Radio buttons and CSS: it works without script. */
export function HostTabs({ hosts }: { readonly hosts: readonly HostGuide[] }) {
  const first = firstGuide(hosts)
  return (
    <div className="tabs">
      <fieldset className="tab-list">
        <legend className="visually-hidden">Your app</legend>
        {hosts.map((host) => (
          <label className="tab" key={host.id}>
            <input type="radio" name="host" value={host.id} defaultChecked={host.id === first} />
            {host.name}
          </label>
        ))}
      </fieldset>
      <div>
        {hosts.map((host) => (
          <section className="tab-panel" key={host.id} aria-label={host.name}>
            <Guide host={host} />
          </section>
        ))}
      </div>
    </div>
  )
}

function Guide({ host }: { readonly host: HostGuide }) {
  return (
    <>
      {host.obstacle ? <p className="notice notice-careful">{host.obstacle}</p> : null}
      {host.install ? (
        <p className="install">
          <a className="button button-primary" href={host.install.href} rel="noreferrer">
            {host.install.label}
          </a>
          <span className="muted">{host.install.note}</span>
        </p>
      ) : null}
      <ol className="steps">
        {host.steps.map((step) => (
          <li key={step.words.map(plain).join('')}>
            <Step step={step} />
          </li>
        ))}
      </ol>
      {host.settings ? (
        <details className="more" open={host.id === 'other'}>
          <summary>{host.id === 'other' ? host.settings.name : 'Or write the settings by hand'}</summary>
          {host.settings.file ? (
            <p className="small muted">
              Goes into <code>{host.settings.file}</code>
            </p>
          ) : null}
          <CopyBlock text={host.settings.text} name={host.settings.name} />
        </details>
      ) : null}
    </>
  )
}

function Step({ step }: { readonly step: HostStep }) {
  return (
    <>
      <p>
        {step.words.map((piece) =>
          typeof piece === 'string' ? piece : <b key={piece.label}>{piece.label}</b>,
        )}
      </p>
      {step.copy ? <CopyField text={step.copy.text} name={step.copy.name} /> : null}
    </>
  )
}

const plain = (piece: HostStep['words'][number]) => (typeof piece === 'string' ? piece : piece.label)
