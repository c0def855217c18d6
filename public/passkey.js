// Asks the browser for a passkey and sends its answer with a plain form. The pages work without this: then they
// offer the other ways to sign in.

/** Shorter than a challenge lives: an open page asks anew before it is too late. */
const RENEW_MS = 4 * 60_000

const fromBase64url = (text) =>
  Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (letter) => letter.charCodeAt(0))

function toBase64url(buffer) {
  let binary = ''
  for (const byte of new Uint8Array(buffer)) binary += String.fromCharCode(byte)
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

/** Everything of the answer that is bytes, as base64url. */
function encode({ id, rawId, type, response }) {
  const encoded = { clientDataJSON: toBase64url(response.clientDataJSON) }
  for (const name of ['authenticatorData', 'signature', 'userHandle', 'attestationObject']) {
    if (response[name]) encoded[name] = toBase64url(response[name])
  }
  // Some browsers answer with all of `attestationObject` again in parts; only an assertion needs its data apart.
  if (encoded.attestationObject) delete encoded.authenticatorData
  if (response.getTransports) encoded.transports = response.getTransports()
  return JSON.stringify({ id, rawId: toBase64url(rawId), type, response: encoded })
}

const decodeIds = (credentials) =>
  credentials?.map((credential) => ({ ...credential, id: fromBase64url(credential.id) }))

function say(form, words) {
  const place = form.querySelector('[data-passkey-said]')
  place.textContent = words
  place.hidden = words === ''
}

function explain(error, form) {
  if (error.name === 'InvalidStateError') return 'This device has a passkey for your account already.'
  if (error.name === 'SecurityError') return 'This browser refuses passkeys at this address.'
  if (error.name === 'NotSupportedError' || error.name === 'ConstraintError')
    return 'This device cannot make a passkey that checks that it is you. Try another device or a security key.'
  if (error.name === 'NotAllowedError' || error.name === 'AbortError')
    return form.dataset.passkey === 'create'
      ? 'No passkey was made. Try again when you are ready.'
      : 'The browser gave no passkey. Try again, or sign in another way.'
  return 'That did not work. Load the page again, or sign in another way.'
}

function send(form, credential) {
  form.elements.credential.value = encode(credential)
  form.submit()
}

/** Signing in: by the browser's suggestions while nobody presses the button, else by its dialog. */
function signIn(form) {
  const button = form.querySelector('button')
  let waiting = new AbortController()
  let renewal

  async function ask(how) {
    clearTimeout(renewal)
    waiting.abort()
    waiting = new AbortController()
    const { signal } = waiting
    const answer = await fetch('/sign-in/passkey/options', { method: 'POST', signal })
    if (!answer.ok) throw new Error('no options')
    const { options, state } = await answer.json()
    const publicKey = { ...options, challenge: fromBase64url(options.challenge) }
    const credential = await navigator.credentials.get({ ...how, publicKey, signal })
    form.elements.state.value = state
    send(form, credential)
  }

  /** What goes wrong here nobody has asked for: the button says it when it is pressed. */
  async function suggest() {
    const available = await PublicKeyCredential.isConditionalMediationAvailable?.().catch(() => false)
    if (!available || button.disabled) return
    const asked = ask({ mediation: 'conditional' })
    renewal = setTimeout(suggest, RENEW_MS)
    await asked.catch(() => undefined)
  }

  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    button.disabled = true
    say(form, '')
    try {
      await ask({})
    } catch (error) {
      say(form, explain(error, form))
      button.disabled = false
      button.focus()
      await suggest()
    }
  })
  return suggest()
}

function create(form) {
  const button = form.querySelector('button')
  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    button.disabled = true
    say(form, '')
    try {
      const options = JSON.parse(form.dataset.options)
      const publicKey = {
        ...options,
        challenge: fromBase64url(options.challenge),
        user: { ...options.user, id: fromBase64url(options.user.id) },
        excludeCredentials: decodeIds(options.excludeCredentials),
      }
      send(form, await navigator.credentials.create({ publicKey }))
    } catch (error) {
      say(form, explain(error, form))
      button.disabled = false
      button.focus()
    }
  })
}

for (const form of document.querySelectorAll('form[data-passkey]')) {
  if (!globalThis.PublicKeyCredential) {
    say(form, 'This browser has no passkeys at this address.')
    form.querySelector('button').disabled = true
  } else if (form.dataset.passkey === 'create') create(form)
  else void signIn(form)
}

// A page that comes back from the browser's memory holds what was sent already.
addEventListener('pageshow', (event) => {
  if (event.persisted) location.reload()
})
