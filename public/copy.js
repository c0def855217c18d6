// Copies what stands in the element that a button names. Where the browser refuses (plain http on another
// computer), selects it and says how to copy it. The page works without this: one click selects a line.
const ANSWER_MS = 2000

for (const button of document.querySelectorAll('button[data-copy]')) {
  const words = button.querySelector('span')
  const source = document.getElementById(button.dataset.copy)
  const label = button.getAttribute('aria-label')
  let timer

  function say(text) {
    words.textContent = text
    button.removeAttribute('aria-label')
    clearTimeout(timer)
    timer = setTimeout(() => {
      words.textContent = 'Copy'
      button.setAttribute('aria-label', label)
    }, ANSWER_MS)
  }

  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(source.textContent)
      say('Copied')
    } catch {
      getSelection().selectAllChildren(source)
      say('Press Ctrl+C')
    }
  })
}
