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

const HTTPS = ['https://app.example/callback']
const LOOPBACK = ['http://localhost/callback']

it.each([
  { kind: 'dynamic', redirectUris: HTTPS, other: { name: 'Other' }, same: false },
  { kind: 'dynamic', redirectUris: HTTPS, other: { key: 'other' }, same: false },
  { kind: 'dynamic', redirectUris: HTTPS, other: {}, same: true },
  // Any program on this machine can call itself so and wait there.
  { kind: 'dynamic', redirectUris: LOOPBACK, other: {}, same: false },
  { kind: 'dynamic', redirectUris: [...HTTPS, ...LOOPBACK], other: {}, same: false },
  { kind: 'dynamic', redirectUris: ['app.example:/callback'], other: {}, same: false },
  { kind: 'metadata_document', redirectUris: LOOPBACK, other: { name: 'Other' }, same: true },
  { kind: 'metadata_document', redirectUris: HTTPS, other: { key: 'other' }, same: false },
])('a $kind app at $redirectUris with $other is the same: $same', ({ kind, redirectUris, other, same }) => {
  const app = { kind, key: 'key', name: 'App' }
  expect(isSameApp({ ...app, ...other, redirectUris }, app)).toBe(same)
})
