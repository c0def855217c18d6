import type { TokensModel } from '#lib/dashboard/dashboard'

/** The form for a new token: its name, what it may do, how long. A plain form: it works without script. */
export function CreateToken({ model }: { readonly model: TokensModel }) {
  const { permissions, days, usualDays, once, createCsrf } = model
  return (
    <section className="card create" id="create" aria-labelledby="create-title">
      <h2 id="create-title">Create a token</h2>
      <p className="muted">
        You see it once, right after. Make one for each program, so that you can end it alone.
      </p>
      <form action="/dashboard/tokens/create" method="post">
        <input type="hidden" name="csrf" value={createCsrf} />
        <input type="hidden" name="once" value={once} />
        <div className="field">
          <label htmlFor="token-name">Name</label>
          <input
            id="token-name"
            name="name"
            required
            maxLength={64}
            autoComplete="off"
            aria-describedby="token-name-hint"
          />
          <p className="hint" id="token-name-hint">
            What will use it: “Backup script”, “Zed on the laptop”.
          </p>
        </div>
        <fieldset>
          <legend>It may</legend>
          <ul className="permissions">
            {permissions.map(({ name, sentence, includes, ticked }) => (
              <li key={name}>
                <label>
                  <input type="checkbox" name="scope" value={name} defaultChecked={ticked} />
                  <span>
                    {sentence}
                    {includes.length > 0 ? (
                      <small>Includes: {includes.join(', ').toLowerCase()}</small>
                    ) : null}
                  </span>
                </label>
              </li>
            ))}
          </ul>
        </fieldset>
        <div className="field">
          <label htmlFor="token-days">It expires in</label>
          <select id="token-days" name="days" defaultValue={usualDays}>
            {days.map((count) => (
              <option key={count} value={count}>
                {count === 365 ? 'a year' : `${count} days`}
              </option>
            ))}
          </select>
        </div>
        <p className="actions">
          <button type="submit" className="button button-primary">
            Create token
          </button>
        </p>
      </form>
    </section>
  )
}
