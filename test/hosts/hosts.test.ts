import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { knownClients } from '#lib/oauth/known-clients'
import { profiles } from '#test/hosts/profiles'
import { type Replay, replay, type StepName, stepNames } from '#test/hosts/replay'
import { root } from '#test/support/build'
import { type Deployment, startLocal } from '#test/support/deployment'
import { type FetchPerson, personByFetch } from '#test/support/person-by-fetch'

let deployment: Deployment
let person: FetchPerson
beforeAll(async () => {
  deployment = await startLocal()
  person = personByFetch(deployment.origin)
  await person.signIn(deployment.ownerLink)
})
afterAll(async () => {
  await deployment.dispose()
})

const titles: Readonly<Record<StepName, string>> = {
  discovery: 'finds everything that it looks for',
  registration: 'becomes a client',
  authorization: 'is allowed by the person and hears back',
  token: 'gets tokens',
  'first calls': 'makes its first calls',
  refresh: 'stays signed in through its refreshes',
  checks: 'finds everything as it insists on it',
}

const replayed = profiles.flatMap((profile) => [
  { profile, name: profile.name, byDocument: false, how: 'registers' },
  ...(profile.document
    ? [{ profile, name: profile.name, byDocument: true, how: 'is known by its metadata document' }]
    : []),
])

const results: { id: string; byDocument: boolean; results: Replay['results'] }[] = []
afterAll(() => {
  mkdirSync(join(root, 'out/hosts'), { recursive: true })
  writeFileSync(join(root, 'out/hosts/replays.json'), JSON.stringify(results))
})

describe.each(replayed)('$name $how, and', ({ profile, byDocument }) => {
  let host: Replay
  beforeAll(() => {
    host = replay({ profile, origin: deployment.origin, person, byDocument })
    results.push({ id: profile.id, byDocument, results: host.results })
  })

  it.for(stepNames.map((step) => ({ step, title: titles[step] })))('$title', async ({ step }, { skip }) => {
    const bundled = !byDocument || knownClients.has(profile.document?.clientId ?? '')
    skip(!bundled, 'no copy of its document is known')
    const offered = !byDocument || step === 'discovery' || host.offersDocuments()
    skip(!offered, 'this server does not read metadata documents')
    await host.step(step)
  })
})
