// `npm test`: makes sure that the machine can run the tests, builds the product once, runs all of them.
//
//   npm test                    everything
//   npm test -- test/oauth      what Vitest's own arguments select
//   npm run soak                everything, with races of 200 rounds instead of 10
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const NODE_MIN = [20, 9]
const BREW = { 'redis-server': 'brew install redis', chromium: 'brew install --cask chromium' }

const soak = process.argv.includes('--soak')
const args = process.argv.slice(2).filter((argument) => argument !== '--soak')
const selected = args.filter((argument) => !argument.startsWith('-'))
/** Without a selection everything runs; a selection names projects or paths. */
const runs = (pattern) => selected.length === 0 || selected.some((word) => pattern.test(word))

requireNode()
const { chromiumPath } = await support('chromium-path.ts')
const { ensureBuilt } = await support('build.ts')
if (runs(/store|flows|e2e|hosts|conformance/)) requirePrograms(missingPrograms())
const built = runs(/e2e|hosts|conformance/) && (await buildOnce())
process.exitCode = runVitest()

/** The tests' own TypeScript, so that nothing is said twice. */
async function support(file) {
  if (!existsSync(join(root, 'node_modules', 'tsx')))
    stop('Run `npm ci` first: the dependencies are missing.')
  const { tsImport } = await import('tsx/esm/api')
  return tsImport(`./support/${file}`, import.meta.url)
}

function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1])) return
  stop(`Gatehouse needs Node ${NODE_MIN.join('.')} or newer; this is ${process.versions.node}.`)
}

/** Names of Debian packages, which are near enough to what the programs are called elsewhere. */
function missingPrograms() {
  const missing = []
  if (spawnSync('redis-server', ['--version']).status !== 0) missing.push('redis-server')
  if (runs(/e2e|conformance/) && !chromiumPath()) missing.push('chromium')
  return missing
}

function requirePrograms(missing) {
  if (missing.length === 0) return
  const named = process.env.CHROMIUM_PATH
  if (named && !existsSync(named)) stop(`CHROMIUM_PATH is ${named}, and there is no such file.`)
  if (existsSync('/etc/debian_version') && process.getuid?.() === 0) {
    installOnDebian(missing)
    const still = missingPrograms()
    if (still.length === 0) return
    stop(`apt-get did not bring ${still.join(' and ')}.`)
  }
  stop(`The tests need ${missing.join(' and ')}. Install what is missing, then run them again:

  Debian, Ubuntu   sudo apt-get install --no-install-recommends ${missing.join(' ')} fonts-liberation
  macOS            ${missing.map((name) => BREW[name]).join(' && ')}

Chromium or Chrome may be anywhere: set CHROMIUM_PATH to the program.`)
}

function installOnDebian(packages) {
  console.log(`Installing ${packages.join(' and ')} (apt-get)`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const fonts = packages.includes('chromium') ? ['fonts-liberation'] : []
  for (const command of [['update'], ['install', '-y', '--no-install-recommends', ...packages, ...fonts]]) {
    const { status, stdout, stderr } = spawnSync('apt-get', ['-q', ...command], { env, encoding: 'utf8' })
    if (status !== 0) stop(`apt-get ${command.join(' ')} failed:\n${stdout}\n${stderr}`)
  }
}

async function buildOnce() {
  const startedAt = Date.now()
  try {
    await ensureBuilt()
  } catch (error) {
    stop(error.message)
  }
  const seconds = Math.round((Date.now() - startedAt) / 1000)
  if (seconds > 0) console.log(`Built the product (${seconds} s)`)
  return true
}

function runVitest() {
  mkdirSync(join(root, 'out'), { recursive: true })
  const reporters = args.some((argument) => argument.startsWith('--reporter'))
    ? []
    : ['--reporter=default', '--reporter=json', '--outputFile.json=out/test-result.json']
  const { status } = spawnSync(
    process.execPath,
    [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...reporters, ...args],
    {
      cwd: root,
      stdio: 'inherit',
      env: { ...process.env, ...(built ? { GATEHOUSE_BUILT: '1' } : {}), ...(soak ? { SOAK: '1' } : {}) },
    },
  )
  return status ?? 1
}

function stop(message) {
  console.error(message)
  process.exit(1)
}
