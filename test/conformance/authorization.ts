import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { collect, type Run, suiteCommand } from '#test/conformance/suite'
import { freePort } from '#test/support/free-port'
import { type FetchPerson, registerByFetch } from '#test/support/person-by-fetch'

/** The suite prints the URL that a browser should open, on a line of its own. */
const AUTHORIZATION_URL = /^(https?:\/\/\S+[?&]code_challenge=\S+)$/m

/**
 * Runs the authorization part of the official suite against an authorization server, with a person who is
 * signed in and allows what is asked. `revision` chooses the scenarios that apply to it.
 */
export async function runAuthorizationSuite(
  origin: string,
  person: FetchPerson,
  revision: string,
): Promise<Run> {
  const port = await freePort()
  const { clientId } = await registerByFetch(origin, `http://127.0.0.1:${port}/callback`)
  const out = await mkdtemp(join(tmpdir(), 'gatehouse-conformance-'))
  const args = ['--url', origin, '--client-id', clientId, '--resource', `${origin}/api/mcp`]
  const command = suiteCommand([
    'authorization',
    ...args,
    '--spec-version',
    revision,
    '-p',
    String(port),
    '-o',
    out,
  ])
  try {
    const output = await runWithPerson(command, person)
    return { checks: await collect(out), output }
  } finally {
    await rm(out, { recursive: true, force: true })
  }
}

function runWithPerson(command: readonly string[], person: FetchPerson): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    let asked = false
    const read = (chunk: Buffer) => {
      output += chunk.toString()
      const url = AUTHORIZATION_URL.exec(output)?.[1]
      if (asked || url === undefined) return
      asked = true
      person
        .allow(url)
        .then((callback) => fetch(callback))
        .catch((error: unknown) => {
          child.kill()
          reject(error)
        })
    }
    child.stdout.on('data', read)
    child.stderr.on('data', read)
    child.on('close', () => resolve(output))
  })
}
