import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

/** A real redis-server on loopback, for one test file. */
export interface RedisServer {
  readonly url: string
  readonly port: number
  /** Ends it; may be called twice. What is not persistent is gone. */
  stop(): Promise<void>
  /** Ends it and starts it again on the same port. */
  restart(): Promise<void>
  /** Starts it again after `stop`. */
  start(): Promise<void>
  /** Stops its clock: connections stay open and nothing is answered until `resume`. */
  freeze(): void
  resume(): void
}

/**
 * Starts a redis-server on a free port.
 *
 * @param how - `persistent` keeps the data through a restart
 */
export async function startRedis(how: { persistent?: boolean } = {}): Promise<RedisServer> {
  const directory = await mkdtemp(join(tmpdir(), 'gatehouse-redis-'))
  const port = await freePort()
  const persistence = how.persistent ? ['yes', '--appendfsync', 'always'] : ['no']
  const parameters = [
    ...['--port', String(port), '--bind', '127.0.0.1', '--dir', directory],
    ...['--save', '', '--appendonly', ...persistence],
  ]
  let server: ChildProcess | undefined

  async function start() {
    const child = spawn('redis-server', parameters, { stdio: 'ignore' })
    server = child
    // A test run that ends early leaves no server behind.
    const kill = () => child.kill('SIGKILL')
    process.once('exit', kill)
    child.once('exit', () => process.off('exit', kill))
    const failed = once(child, 'error').then(([error]) => {
      throw new Error(`redis-server does not start (is it installed?): ${error}`)
    })
    await Promise.race([answering(port), failed])
  }

  async function end() {
    const child = server
    server = undefined
    if (!child || child.exitCode !== null) return
    child.kill('SIGCONT')
    child.kill('SIGKILL')
    await once(child, 'exit')
  }

  await start()
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    start,
    async stop() {
      await end()
      await rm(directory, { recursive: true, force: true })
    },
    async restart() {
      await end()
      await start()
    },
    freeze: () => void server?.kill('SIGSTOP'),
    resume: () => void server?.kill('SIGCONT'),
  }
}

/** A port of loopback that nothing listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (!address || typeof address === 'string') throw new Error('no port')
  return address.port
}

async function answering(port: number): Promise<void> {
  for (let attempt = 0; attempt < 250; attempt++) {
    const socket = connect(port, '127.0.0.1')
    const answered = await new Promise<boolean>((resolve) => {
      socket.once('error', () => resolve(false))
      socket.once('data', (reply) => resolve(reply.toString().startsWith('+PONG')))
      socket.write('PING\r\n')
    })
    socket.destroy()
    if (answered) return
    await pause(20)
  }
  throw new Error('redis-server does not answer')
}
