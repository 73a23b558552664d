// One client a data folder: two would overwrite each other's memory and share one identity. The claim is
// a socket that this process listens on, so that it ends with the process, however that ends.

import { createHash } from 'node:crypto'
import { realpathSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Failure, systemCode } from '../../common/failure.ts'

/** Claims the folder for this process; call the result to give it back. Rejects with a `start` failure. */
export async function claimFolder(folder: string): Promise<() => void> {
  const name = createHash('sha256').update(realpathSync(folder)).digest('hex').slice(0, 24)
  try {
    // On Linux a name without a file (its first character is NUL): the system forgets it with the process,
    // so there is nothing to clear away, and of several that start at once exactly one gets it.
    if (process.platform === 'linux') return await listen(`\0coterie-${name}`)
    // In the temporary folder, because the path of a socket has a hundred characters at most.
    return await listenOrTakeOver(join(tmpdir(), `coterie-${name}.sock`))
  } catch (error) {
    if (systemCode(error) !== 'EADDRINUSE')
      throw new Failure('start', `cannot claim the folder ${folder}`, error)
    throw new Failure(
      'start',
      `another client uses the folder ${folder}; give this one its own with --data-dir`,
      error,
    )
  }
}

/** Elsewhere the name is a file, which a client that was killed leaves behind. */
async function listenOrTakeOver(path: string): Promise<() => void> {
  try {
    return await listen(path)
  } catch (error) {
    if (systemCode(error) !== 'EADDRINUSE' || (await isAlive(path))) throw error
  }
  await rm(path, { force: true })
  return listen(path)
}

function listen(path: string): Promise<() => void> {
  return new Promise((resolve, reject) => {
    const server: Server = createServer((socket) => socket.destroy())
    server.once('error', reject)
    server.listen(path, () => {
      server.unref()
      resolve(() => server.close())
    })
  })
}

function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
