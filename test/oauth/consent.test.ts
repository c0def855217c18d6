import { describe, expect, it } from 'vitest'
import { heldAmong, isSameApp, readConsentDecision } from '#lib/oauth/consent'
import { scopes } from '#test/support/authorization-server'

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
  expect(readConsentDecision(new URLSearchParams(form), { scopes: asked })).toEqual(means)
})

describe('at step-up', () => {
  const step = { scopes: asked, held: ['notes:read'] }

  it.each([
    { form: 'decision=allow', means: { decision: 'allow', scopes: asked } },
    { form: 'decision=allow&listed=scopes&scope=notes:write', means: { decision: 'allow', scopes: asked } },
    { form: 'decision=allow&listed=scopes', means: 'none_chosen' },
    { form: 'decision=allow&listed=scopes&scope=notes:read', means: 'none_chosen' },
    { form: 'decision=deny', means: { decision: 'deny' } },
  ])('the form $form means $means', ({ form, means }) => {
    expect(readConsentDecision(new URLSearchParams(form), step)).toEqual(means)
  })

  it.each([
    { wants: asked, allowed: ['notes:read'], held: ['notes:read'] },
    { wants: asked, allowed: [], held: [] },
    { wants: asked, allowed: asked, held: [] },
    // What includes a scope covers it.
    { wants: asked, allowed: ['notes:write'], held: [] },
    { wants: ['notes:read', 'notes:purge'], allowed: ['notes:write'], held: ['notes:read'] },
    { wants: ['notes:write'], allowed: ['notes:read'], held: [] },
  ])('an app that may $allowed and wants $wants holds $held of it', ({ wants, allowed, held }) => {
    expect(heldAmong(wants, allowed, scopes)).toEqual(held)
  })
})

it.each([
  { kind: 'dynamic', other: { name: 'Other' }, same: false },
  { kind: 'dynamic', other: { key: 'other' }, same: false },
  { kind: 'dynamic', other: {}, same: true },
  { kind: 'metadata_document', other: { name: 'Other' }, same: true },
  { kind: 'metadata_document', other: { key: 'other' }, same: false },
])('a $kind app with $other is the same: $same', ({ kind, other, same }) => {
  const app = { kind, key: 'key', name: 'App' }
  expect(isSameApp({ ...app, ...other }, app)).toBe(same)
})
