import { expect, it } from 'vitest'
import { readConsentDecision } from '#lib/oauth/consent'

const asked = ['notes:read', 'notes:write']

it.each([
  { form: 'decision=deny', means: { decision: 'deny' } },
  { form: 'decision=allow', means: { decision: 'allow', scopes: asked } },
  { form: 'decision=allow&scope=notes:write', means: { decision: 'allow', scopes: ['notes:write'] } },
  {
    form: 'decision=allow&listed=scopes&scope=notes:read&scope=root',
    means: { decision: 'allow', scopes: ['notes:read'] },
  },
  { form: 'decision=allow&listed=scopes', means: 'none_chosen' },
  { form: 'decision=allow&scope=root', means: 'none_chosen' },
  { form: 'decision=deny&listed=scopes', means: { decision: 'deny' } },
  { form: 'decision=allow&decision=deny', means: undefined },
  { form: 'decision=yes', means: undefined },
  { form: '', means: undefined },
])('the form $form means $means', ({ form, means }) => {
  expect(readConsentDecision(new URLSearchParams(form), asked)).toEqual(means)
})
