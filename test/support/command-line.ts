import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { root } from '#test/support/build'

/** Runs `npm run gatehouse -- …` as an operator does, in an otherwise bare environment. */
export function gatehouse(args: readonly string[], env: Readonly<Record<string, string>>) {
  return new Promise<{ code: number; said: string; faults: string }>((resolve) => {
    const tsx = join(root, 'node_modules', '.bin', 'tsx')
    const options = {
      cwd: root,
      env: { PATH: process.env['PATH'] ?? '', NODE_ENV: 'production' as const, ...env },
    }
    execFile(tsx, ['bin/gatehouse.ts', ...args], options, (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), said: stdout, faults: stderr }),
    )
  })
}
