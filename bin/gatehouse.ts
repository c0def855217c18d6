// `npm run gatehouse -- <command>`: what an operator does from a shell.
import { ConfigurationRefused } from '#lib/config/refused'
import { readCommandLine } from '#lib/node/command-line'
import { deployLink } from '#lib/node/deploy-link'
import { mintSignInLink, runCommand } from '#lib/services'

const USAGE = `Usage: npm run gatehouse -- <command>

  sign-in-link                 a link that signs the owner in (15 minutes, once)
  sign-in-link --member NAME   a link for another person; the same name is the same person

  person list                  everybody who signed in
  person block NAME            ends all that a person has; they cannot sign in
  person unblock NAME
  person sign-out NAME         ends their browser sessions; their apps stay connected

  connections list --person NAME
  connections end --person NAME [--client KEY] | --client KEY | --all
  connections end --from-log FILE --since TIME
                               after a restore: ends again what the log says has ended since the copy

  sessions list --person NAME  apps of the 2025 revisions that are in use
  sessions stats               this hour and the one before, by host and revision; open streams

  client create --name NAME --redirect URI [--redirect URI] [--scope SCOPES]
                [--auth secret|basic|post|none|private_key_jwt [--jwks FILE | --jwks-uri URL]]
  client list
  client rotate ID [--drop-old]   another secret; the one before works until the next
  client delete ID
  client block KEY             ends all that an app has, however it registers; it is refused
  client unblock KEY

  keys list
  keys rotate                  a new signing key; no token is refused
  keys emergency               drops every signing key and ends every connection

  deploy-link [repository]     the "Deploy to Vercel" link for this repository`

/** sysexits(3): used wrongly, and wrongly configured. */
const EXIT_USAGE = 64
const EXIT_CONFIGURATION = 78

async function main(args: readonly string[]): Promise<number> {
  const [command, ...rest] = args
  if (command === 'sign-in-link') return signInLink(rest)
  if (command === 'deploy-link') {
    console.log(deployLink(rest[0]))
    return 0
  }
  const typed = readCommandLine(args)
  if (typed) return carryOut(typed.command, typed.input)
  console.error(USAGE)
  return command === undefined || command === 'help' ? 0 : EXIT_USAGE
}

async function carryOut(command: string, input: Readonly<Record<string, unknown>>): Promise<number> {
  const outcome = await runCommand(command, input)
  if (outcome.ok) {
    console.log(outcome.value.join('\n'))
    return 0
  }
  console.error(outcome.error)
  return 1
}

async function signInLink(options: readonly string[]): Promise<number> {
  const [flag, member, ...more] = options
  const usable = options.length === 0 || (flag === '--member' && member && more.length === 0)
  if (!usable) {
    console.error(USAGE)
    return EXIT_USAGE
  }
  console.log(await mintSignInLink(member === undefined ? {} : { member }))
  return 0
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = error instanceof ConfigurationRefused ? EXIT_CONFIGURATION : 1
}
