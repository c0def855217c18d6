// `npm run gatehouse -- <command>`: what an operator does from a shell.
import { ConfigurationRefused } from '#lib/config/refused'
import { deployLink } from '#lib/node/deploy-link'
import { mintSignInLink } from '#lib/services'

const USAGE = `Usage: npm run gatehouse -- <command>

  sign-in-link                 a link that signs the owner in (15 minutes, once)
  sign-in-link --member NAME   a link for another person; the same name is the same person
  deploy-link [repository]     the "Deploy to Vercel" link for this repository`

async function main([command, ...rest]: readonly string[]): Promise<number> {
  if (command === 'sign-in-link') return signInLink(rest)
  if (command === 'deploy-link') {
    console.log(deployLink(rest[0]))
    return 0
  }
  console.error(USAGE)
  return command === undefined || command === 'help' ? 0 : 64
}

async function signInLink(options: readonly string[]): Promise<number> {
  const [flag, member, ...more] = options
  const usable = options.length === 0 || (flag === '--member' && member && more.length === 0)
  if (!usable) {
    console.error(USAGE)
    return 64
  }
  console.log(await mintSignInLink(member === undefined ? {} : { member }))
  return 0
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = error instanceof ConfigurationRefused ? 78 : 1
}
