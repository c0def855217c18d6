import { describe, expect, it } from 'vitest'
import { narrowedScopes, parseScope, requestedScopes, withIncluded } from '#lib/oauth/scope'
import { scopes } from '#test/support/authorization-server'

describe('the scopes of an authorization request', () => {
  it.each([
    { scope: undefined, gives: ['notes:read', 'notes:write'] },
    { scope: 'notes:write notes:read notes:write', gives: ['notes:read', 'notes:write'] },
    { scope: 'notes:purge', gives: ['notes:purge'] },
    { scope: 'notes:read admin', gives: ['notes:read'] },
    { scope: 'offline_access', gives: ['notes:read', 'notes:write'] },
    { scope: 'offline_access notes:read', gives: ['notes:read'] },
    { scope: 'NOTES:READ', gives: undefined },
    { scope: 'admin', gives: undefined },
    { scope: 'admin offline_access', gives: undefined },
    { scope: ' notes:read', gives: undefined },
    { scope: 'notes:read\tnotes:write', gives: undefined },
    { scope: 'notes:"read', gives: undefined },
  ])('$scope are $gives', ({ scope, gives }) => {
    const expected = gives ? { ok: true, value: gives } : { ok: false, error: 'scope_invalid' }
    expect(requestedScopes(scope, { scopes })).toEqual(expected)
  })

  it('stay under the ceiling of the client', () => {
    const ceiling = ['notes:read']
    expect(requestedScopes(undefined, { scopes, ceiling })).toMatchObject({ value: ['notes:read'] })
    expect(requestedScopes('notes:write', { scopes, ceiling })).toMatchObject({ ok: false })
  })
})

describe('the scopes of a refresh', () => {
  const granted = ['notes:read', 'notes:write']
  it.each([
    { scope: undefined, gives: granted },
    { scope: 'notes:write', gives: ['notes:write'] },
    { scope: 'notes:read offline_access', gives: ['notes:read'] },
    { scope: 'offline_access', gives: granted },
    { scope: 'notes:purge', gives: undefined },
    { scope: 'notes:read notes:purge', gives: undefined },
    { scope: 'a  b', gives: undefined },
  ])('$scope are $gives', ({ scope, gives }) => {
    const expected = gives ? { ok: true, value: gives } : { ok: false, error: 'scope_invalid' }
    expect(narrowedScopes(scope, granted, scopes)).toEqual(expected)
  })

  it.each([
    { scope: 'notes:read', gives: ['notes:read'] },
    { scope: 'notes:read notes:write', gives: ['notes:write', 'notes:read'] },
    { scope: undefined, gives: ['notes:write'] },
    { scope: 'notes:purge', gives: undefined },
  ])('may be $scope of a grant of one that includes another: $gives', ({ scope, gives }) => {
    const expected = gives ? { ok: true, value: gives } : { ok: false, error: 'scope_invalid' }
    expect(narrowedScopes(scope, ['notes:write'], scopes)).toEqual(expected)
  })

  it('are never one that includes what was granted', () => {
    expect(narrowedScopes('notes:write', ['notes:read'], scopes)).toMatchObject({ ok: false })
  })
})

it('a scope is visible ASCII without quotes and backslashes, one space between', () => {
  expect(parseScope('a b')).toEqual(['a', 'b'])
  for (const bad of ['', ' ', 'a ', 'a\\b', 'ä', 'a\nb']) expect(parseScope(bad)).toBeUndefined()
})

it('scopes amount to all that they include, and a circle ends', () => {
  const scope = (name: string, ...includes: string[]) => ({ name, sentence: name, base: true, includes })
  const chain = [scope('a', 'b'), scope('b', 'c'), scope('c', 'a'), scope('d')]
  expect([...withIncluded(['a'], chain)].toSorted()).toEqual(['a', 'b', 'c'])
  expect([...withIncluded(['d', 'unknown'], chain)]).toEqual(['d', 'unknown'])
})
