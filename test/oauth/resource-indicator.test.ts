import { expect, it } from 'vitest'
import { meansResource } from '#lib/oauth/resource-indicator'

it.each([
  [undefined, true],
  ['https://gate.example/api/mcp', true],
  ['https://gate.example/api/mcp/', true],
  ['HTTPS://GATE.EXAMPLE:443/api/mcp', true],
  ['https://gate.example', true],
  ['https://gate.example/', true],
  ['https://gate.example//', false],
  ['https://gate.example/api/mcp//', false],
  ['https://gate.example/API/MCP', false],
  ['https://gate.example/api', false],
  ['https://gate.example/api/x/../mcp', false],
  ['https://gate.example/api/%6dcp', false],
  ['https://gate.example/api/mcp?x=1', false],
  ['https://gate.example/api/mcp#x', false],
  ['https://gate.example:444/api/mcp', false],
  ['http://gate.example/api/mcp', false],
  ['https://gate.example.evil.example/api/mcp', false],
  ['https://user@gate.example/api/mcp', false],
  ['https://evil.example\\@gate.example/api/mcp', false],
  ['//gate.example/api/mcp', false],
  ['gate.example/api/mcp', false],
  ['urn:x', false],
  ['https://[', false],
])('the resource %s means ours: %s', (requested, means) => {
  expect(meansResource(requested, 'https://gate.example/api/mcp')).toBe(means)
})
