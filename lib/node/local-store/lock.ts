import { createHash, randomUUID } from 'node:crypto'
import { chmod, mkdir, rm, rmdir, stat, symlink } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

/** Another live process serves from this data folder. */
export class DataFolderInUse extends Error {
  override readonly name = 'DataFolderInUse'
}

const SOCKET_NAME = 'lock.sock'
/** The shortest of the systems' limits on a socket's path (macOS), less its closing zero. */
const SOCKET_PATH_MAX_BYTES = 103
/** Whoever holds the right to look at the lock needs milliseconds; after this it must have died. */
const OPENING_STALE_MS = 5000

/**
 * Takes a data folder for this process. The lock is a listening socket in the folder: it ends with its
 * process, also with `kill -9`, and a process number, which means nothing in another container, is not asked.
 *
 * @returns what gives the folder back
 * @throws DataFolderInUse when a live process has it
 */
export async function lockFolder(directory: string): Promise<() => Promise<void>> {
  const server = await alone(join(directory, 'lock.opening'), () =>
    reachable(directory, async (path) => {
      const holder = await askHolder(path)
      if (holder !== undefined) throw new DataFolderInUse(inUse(directory, holder))

      if (process.platform !== 'win32') await rm(path, { force: true })
      return listen(path)
    }),
  )
  // The path that it listened at may have been short-lived, so the file is removed by its own name.
  return async () => {
    await new Promise((resolve) => server.close(resolve))
    await rm(join(directory, SOCKET_NAME), { force: true })
  }
}

const inUse = (directory: string, holder: string) =>
  `The data folder ${directory} is in use by another process (${holder}). The local store serves one process ` +
  'at a time. Stop the other one, give this one its own DATA_DIR, or share a database between them: set ' +
  'UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN, or REDIS_URL.'

/** Lets only one process at a time look at a lock and take it: two might both remove the same dead one. */
async function alone<Value>(marker: string, work: () => Promise<Value>): Promise<Value> {
  for (;;) {
    const made = await mkdir(marker).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error
        return false
      },
    )
    if (made) break

    const since = await stat(marker).catch(() => undefined)
    if (since && Date.now() - since.mtimeMs > OPENING_STALE_MS) await rmdir(marker).catch(() => undefined)
    else await pause(20)
  }
  return work().finally(() => rmdir(marker).catch(() => undefined))
}

/** Gives the socket's path in a form that is short enough: through a link when the folder's own is not. */
async function reachable<Value>(directory: string, work: (path: string) => Promise<Value>): Promise<Value> {
  if (process.platform === 'win32') {
    return work(`\\\\.\\pipe\\gatehouse-${createHash('sha256').update(directory).digest('hex').slice(0, 32)}`)
  }
  const path = join(directory, SOCKET_NAME)
  if (Buffer.byteLength(path) <= SOCKET_PATH_MAX_BYTES) return work(path)

  const link = join(tmpdir(), `gh-${randomUUID().slice(0, 8)}`)
  await symlink(directory, link)
  return work(join(link, SOCKET_NAME)).finally(() => rm(link, { force: true }))
}

/** What the holder of the lock says of itself; `undefined` when nobody listens. */
function askHolder(path: string): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    let said = ''
    const socket = connect(path)
    socket.setEncoding('utf8')
    socket.setTimeout(1000, () => socket.destroy())
    socket.on('data', (text) => {
      said += text
    })
    socket.once('close', () => resolve(said || 'which does not answer'))
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT') resolve(undefined)
      else reject(error)
    })
  })
}

async function listen(path: string): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.end(`process ${process.pid}`)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, resolve)
  })
  if (process.platform !== 'win32') await chmod(path, 0o600)
  // The lock must not keep alive a process that has nothing else to do.
  return server.unref()
}
