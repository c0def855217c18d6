import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { HostProfile } from '#test/hosts/profile'
import { profiles } from '#test/hosts/profiles'
import type { ProgramRun } from '#test/hosts/program'
import { type Replay, type Result, stepNames } from '#test/hosts/replay'
import { root } from '#test/support/build'

const FOLDER = join(root, 'out/hosts')
const DOCUMENT = join(root, 'docs/HOSTS.md')

interface Replayed {
  readonly id: string
  readonly byDocument: boolean
  readonly results: Replay['results']
}

/** Vitest's global set-up of the project `hosts`: after its run, `HOSTS_REPORT=1` writes `docs/HOSTS.md`. */
export function teardown(): void {
  if (process.env['HOSTS_REPORT'] !== '1') return
  const read = (file: string) => JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as unknown
  if (!existsSync(join(FOLDER, 'replays.json'))) return
  const programs = readdirSync(FOLDER).filter((file) => file.startsWith('program-'))
  writeFileSync(
    DOCUMENT,
    report({
      date: new Date().toISOString().slice(0, 10),
      replayed: read('replays.json') as readonly Replayed[],
      programs: programs.sort().map((file) => read(file) as ProgramRun),
    }),
  )
}

/** The whole document. */
function report(run: {
  readonly date: string
  readonly replayed: readonly Replayed[]
  readonly programs: readonly ProgramRun[]
}): string {
  const rows = profiles.map((profile) => {
    const result = (byDocument: boolean) =>
      resultOf(run.replayed.find((one) => one.id === profile.id && one.byDocument === byDocument))
    const { era, opening } = profile.calls
    const document = profile.document ? result(true) : 'has none'
    return `| ${profile.name} | ${result(false)} | ${document} | ${era}, ${opening} | ${profile.refresh.race} |`
  })
  const programs = run.programs.map(
    ({ name, version, results, skipped }) =>
      `| ${name} | ${version} | ${skipped ? `not run: ${skipped}` : Object.keys(results).join('; ')} |`,
  )
  return `# Hosts

Written by \`HOSTS_REPORT=1 npm test -- --project hosts\` on ${run.date}; change \`test/hosts/\`, not this page.

A replay sends what the host sends, in its order, to the built product:
${stepNames.join(', ')}. The profiles come from the hosts' sources, their documentation, and what other servers captured. A replay shows that
this server answers such requests as that host needs it; it is no test of the host itself, and hosts change.

## Replays

"Registers" is dynamic client registration; "document" is a client id metadata document: the server fetches it,
or uses the copy that it brings along where it cannot, as on a machine without a network. A document that is not
replayed is one of which no copy was found.

| Host | Registers | Document | Calls | Refreshes with |
|---|---|---|---|---|
${rows.join('\n')}

## The programs themselves

| Program | Version | What works |
|---|---|---|
${programs.join('\n')}

## Where this was read, and what is assumed

${sources()}`
}

/** The part of the document that follows from the profiles alone. */
export const sources = (): string => profiles.map(section).join('\n')

function section({ name, sources: read, assumed, authorization, checks }: HostProfile): string {
  const guess = assumed.length > 0 ? `Assumed: ${assumed.join(', ')}.` : 'Nothing is assumed.'
  return `### ${name}

Comes back to \`${authorization.redirectUri}\`. ${guess} Checked besides: ${checks.join('; ')}.

${read.map((source) => `- ${source}`).join('\n')}
`
}

function resultOf(replayed: Replayed | undefined): string {
  if (!replayed) return 'not run'
  const of = (wanted: Result) => stepNames.filter((step) => replayed.results[step] === wanted)
  const [failed] = of('fails')
  if (failed) return `fails at ${failed}`
  return of('works').length === stepNames.length ? 'works' : 'not replayed'
}
