import { describe, expect, it } from 'vitest'
import { createOriginGuard } from '#lib/mcp/origins'

const guard = (origin: string, more = {}) =>
  createOriginGuard({ origin, allowedOrigins: [], allowedHosts: [], ...more })

describe('a public server', () => {
  const open = guard('https://notes.example', {
    allowedOrigins: ['https://inspector.example:8443'],
    allowedHosts: ['internal.example:8080'],
  })

  it.each([
    { origin: null, allowed: true },
    { origin: 'https://notes.example', allowed: true },
    { origin: 'https://inspector.example:8443', allowed: true },
    { origin: 'null', allowed: false },
    { origin: '', allowed: false },
    { origin: 'http://notes.example', allowed: false },
    { origin: 'https://notes.example:8443', allowed: false },
    { origin: 'https://notes.example.evil.example', allowed: false },
    { origin: 'https://inspector.example', allowed: false },
    { origin: 'http://localhost:6274', allowed: false },
  ])('origin $origin: $allowed', ({ origin, allowed }) => {
    expect(open.allowsOrigin(origin)).toBe(allowed)
  })

  it.each([
    { host: 'notes.example', allowed: true },
    { host: 'NOTES.example', allowed: true },
    { host: 'internal.example:8080', allowed: true },
    { host: 'internal.example', allowed: false },
    { host: 'notes.example:8080', allowed: false },
    { host: 'localhost:3000', allowed: false },
    { host: 'evil.example', allowed: false },
    { host: '', allowed: false },
  ])('host $host: $allowed', ({ host, allowed }) => {
    expect(open.allowsHost(host)).toBe(allowed)
  })
})

describe('a server on loopback', () => {
  const local = guard('http://localhost:3000')

  it.each([
    { origin: 'http://localhost:6274', allowed: true },
    { origin: 'http://127.0.0.1:3000', allowed: true },
    { origin: 'http://[::1]:3000', allowed: true },
    { origin: 'null', allowed: false },
    { origin: 'http://localhost.evil.example', allowed: false },
    { origin: 'http://evil.example:3000', allowed: false },
    { origin: 'vscode-webview://localhost', allowed: false },
  ])('origin $origin: $allowed', ({ origin, allowed }) => {
    expect(local.allowsOrigin(origin)).toBe(allowed)
  })

  it.each([
    { host: 'localhost:3000', allowed: true },
    { host: '127.0.0.1:4105', allowed: true },
    { host: '[::1]:3000', allowed: true },
    { host: 'localhost', allowed: true },
    { host: 'evil.example:3000', allowed: false },
    { host: '127.0.0.1.evil.example', allowed: false },
  ])('host $host: $allowed', ({ host, allowed }) => {
    expect(local.allowsHost(host)).toBe(allowed)
  })
})
