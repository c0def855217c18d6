import { describe, expect, it } from 'vitest'
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
})
