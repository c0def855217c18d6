import { describe, expect, it } from 'vitest'
import { encodeText } from '#lib/core/base64url'
import { readClientCredentials } from '#lib/oauth/client-credentials'
import { readParameters } from '#lib/oauth/parameters'

const read = (authorization: string | null, form = '') =>
  readClientCredentials(authorization, readParameters(new URLSearchParams(form)))
const basic = (text: string) => `Basic ${btoa(text)}`

describe('client credentials', () => {
  it.each([
    { header: basic('id:secret'), form: '', id: 'id', secret: 'secret', method: 'client_secret_basic' },
    {
      header: basic('id:secret'),
      form: 'client_id=id',
      id: 'id',
      secret: 'secret',
      method: 'client_secret_basic',
    },
    { header: basic('a%3Ab:c+d%25:e'), form: '', id: 'a:b', secret: 'c d%:e', method: 'client_secret_basic' },
    { header: `basic  ${btoa('id:')}`, form: '', id: 'id', secret: '', method: 'client_secret_basic' },
    {
      header: null,
      form: 'client_id=id&client_secret=s',
      id: 'id',
      secret: 's',
      method: 'client_secret_post',
    },
    { header: null, form: 'client_id=id&client_secret=', id: 'id', secret: undefined, method: 'none' },
  ])('of $header and $form are read', ({ header, form, id, secret, method }) => {
    expect(read(header, form)).toEqual({ ok: true, value: { clientId: id, clientSecret: secret, method } })
  })

  it.each([
    'Bearer abc',
    'Basic',
    'Basic !!!',
    basic('no colon'),
    basic(':secret'),
    basic('a%zz:b'),
    `Basic ${btoa('\xff:x')}`,
  ])('of %s are refused with a challenge', (header) => {
    expect(read(header)).toEqual({ ok: false, error: { error: 'invalid_client', viaHeader: true } })
  })

  const TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
  const jwt = (claims: unknown) =>
    `${encodeText('{"alg":"ES256"}')}.${encodeText(JSON.stringify(claims))}.c2ln`
  const theirs = jwt({ iss: 'https://app.example/c', sub: 'https://app.example/c' })
  const formOf = (fields: Readonly<Record<string, string>>) => new URLSearchParams(fields).toString()

  it.each([
    { what: 'alone', more: {} },
    { what: 'with the same id', more: { client_id: 'https://app.example/c' } },
  ])('of a signed assertion $what are read, and nothing of it is believed', ({ more }) => {
    const form = formOf({ client_assertion: theirs, client_assertion_type: TYPE, ...more })
    expect(read(null, form)).toEqual({
      ok: true,
      value: {
        clientId: 'https://app.example/c',
        clientSecret: undefined,
        method: 'private_key_jwt',
        clientAssertion: theirs,
      },
    })
  })

  it.each([
    { attack: 'another id', fields: { client_id: 'other' } },
    { attack: 'another type', fields: { client_assertion_type: 'urn:x' } },
    { attack: 'no type', fields: { client_assertion_type: '' } },
    { attack: 'no assertion', fields: { client_assertion: '' } },
    { attack: 'no JWT', fields: { client_assertion: 'x' } },
    { attack: 'a subject of its own', fields: { client_assertion: jwt({ iss: 'a', sub: 'b' }) } },
  ])('of an assertion with $attack are refused', ({ fields }) => {
    const form = formOf({ client_assertion: theirs, client_assertion_type: TYPE, ...fields })
    expect(read(null, form)).toEqual({ ok: false, error: { error: 'invalid_client', viaHeader: false } })
  })

  it('in two ways at once are refused', () => {
    const assertion = formOf({ client_assertion: theirs, client_assertion_type: TYPE })
    const refused = { ok: false, error: { error: 'invalid_request', viaHeader: false } }
    expect(read(basic('id:secret'), assertion)).toEqual(refused)
    expect(read(null, `${assertion}&client_secret=s`)).toEqual(refused)
  })
})
