// Moves the token of a sign-in link from the address bar into the form, so that one button is left.
const field = document.getElementById('token')
const row = document.getElementById('link-field')
const button = document.getElementById('link-button')

function takeToken() {
  const token = location.hash.slice(1)
  if (token === '' || !field || !row) return

  field.value = token
  row.style.display = 'none'
  // The token must not stay in the history or in a screenshot.
  history.replaceState(null, '', location.pathname + location.search)
  button?.focus()
}

takeToken()
addEventListener('hashchange', takeToken)
