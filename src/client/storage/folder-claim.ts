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
  // In the temporary folder, because the path of a socket has a hundred characters at most.
  const name = createHash('sha256').update(realpathSync(folder)).digest('hex').slice(0, 24)
  const path = join(tmpdir(), `coterie-${name}.sock`)
  try {
    return await listen(path)
  } catch (error) {
    if (systemCode(error) !== 'EADDRINUSE')
      throw new Failure('start', `cannot claim the folder ${folder}`, error)
  }
  if (await isAlive(path)) {
    throw new Failure(
      'start',
      `another client uses the folder ${folder}; give this one its own with --data-dir`,
    )
  }
  // Left by a client that was killed.
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
