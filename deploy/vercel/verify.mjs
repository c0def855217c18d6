// Runs `vercel build` offline on a copy of this tree and checks what it would deploy:
//   node deploy/vercel/verify.mjs
// The Vercel command line is large, so it is installed on demand into .tools/, apart from the product.
import { execFileSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const tools = join(root, '.tools', 'vercel')
const VERCEL = '64.0.2'

const run = (command, args, options) =>
  execFileSync(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options })

function installTool() {
  const cli = join(tools, 'node_modules', '.bin', 'vercel')
  if (existsSync(cli)) return cli
  mkdirSync(tools, { recursive: true })
  const manifest = {
    private: true,
    dependencies: { vercel: VERCEL },
    // vercel 64.0.2 asks for a version of `sandbox` that was never published.
    overrides: { sandbox: '4.5.0' },
  }
  writeFileSync(join(tools, 'package.json'), JSON.stringify(manifest))
  run('npm', ['install', '--no-audit', '--no-fund'], { cwd: tools })
  return cli
}

function copyTree() {
  const copy = mkdtempSync(join(tools, 'copy-'))
  const files = run('git', ['ls-files', '-co', '--exclude-standard'], { cwd: root })
    .toString()
    .split('\n')
    .filter(Boolean)
  for (const file of files) if (existsSync(join(root, file))) cpSync(join(root, file), join(copy, file))
  // Hard links: the build follows no link out of its tree, and a copy would take long.
  run('cp', ['-al', join(root, 'node_modules'), join(copy, 'node_modules')])
  mkdirSync(join(copy, '.vercel'))
  const project = {
    projectId: 'prj_local',
    orgId: 'team_local',
    settings: { framework: 'nextjs', nodeVersion: '24.x', installCommand: 'true' },
  }
  writeFileSync(join(copy, '.vercel', 'project.json'), JSON.stringify(project))
  return copy
}

/** One expectation a line; every one is looked at before the script fails. */
function inspect(output) {
  const faults = []
  const expect = (condition, message) => {
    console.log(`${condition ? 'ok  ' : 'FAIL'} ${message}`)
    if (!condition) faults.push(message)
  }
  const functions = join(output, 'functions')
  const mcp = JSON.parse(readFileSync(join(functions, 'api', 'mcp.func', '.vc-config.json'), 'utf8'))
  expect(mcp.runtime === 'nodejs24.x', 'the MCP endpoint runs on Node 24')
  expect(mcp.maxDuration === 300, 'the MCP endpoint may run for 300 s')
  expect(mcp.supportsResponseStreaming === true, 'the MCP endpoint streams')
  expect(mcp.supportsCancellation === true, 'the MCP endpoint hears when a client leaves')
  const { regions } = JSON.parse(readFileSync(join(root, 'vercel.json'), 'utf8'))
  expect(regions?.length === 1, `functions stand in one region, beside the database: ${regions}`)

  const routes = [
    '.well-known/oauth-protected-resource',
    '.well-known/oauth-protected-resource/api/mcp',
    '.well-known/oauth-authorization-server',
    '.well-known/jwks.json',
    'oauth/authorize',
    'oauth/consent',
    'oauth/token',
    'oauth/register',
    'sign-in',
    'sign-in/link',
    'dashboard',
    'api/health',
  ]
  for (const route of routes) expect(existsSync(join(functions, `${route}.func`)), `/${route} is a function`)

  const files = readdirSync(output, { recursive: true, encoding: 'utf8' })
  expect(!files.some((file) => /(^|\/)\.env/.test(file)), 'no .env travels along')
  expect(!files.some((file) => /(^|\/)\.data/.test(file)), 'no local data travels along')
  const packed = Object.keys(mcp.filePathMap ?? {})
  expect(
    !packed.some((file) => /(^|\/)(test|bench|docs)\//.test(file) && !file.includes('node_modules')),
    'no tests or benchmarks travel along',
  )
  return faults
}

const cli = installTool()
const copy = copyTree()
try {
  const env = { ...process.env, VERCEL_TELEMETRY_DISABLED: '1', NEXT_TELEMETRY_DISABLED: '1' }
  run(cli, ['build', '--yes', '--cwd', copy], { cwd: copy, env, stdio: ['ignore', 'inherit', 'inherit'] })
  const faults = inspect(join(copy, '.vercel', 'output'))
  process.exitCode = faults.length === 0 ? 0 : 1
} finally {
  rmSync(copy, { recursive: true, force: true })
}
