// Lets one client at a time use a data folder: two would overwrite each other's data and share one identity.
//
// A claim is a socket in the folder that its process listens on. The system closes it however the process
// ends, and only a user who may write to the folder can hold one. Claims are numbered, `claim.1` and so on. A
// claimant listens under a temporary name and, if nobody answers at the highest number, links that name to
// the next one. Linking is atomic, and a claim answers from the moment it has its number. The highest number
// is never removed, so a slow claimant finds a higher one and withdraws.

import { randomBytes } from 'node:crypto'
import { readdirSync, rmSync, statSync } from 'node:fs'
import { link, rm } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { Failure, sentenceOf, systemCode } from '../../common/failure.ts'
import { SocketFolder } from './socket-folder.ts'

/**
 * Claims the folder for this process; call the result to release it. Resolves to undefined when another client has it.
 * Rejects with a `start` failure.
 */
export async function claimFolder(folder: string): Promise<(() => void) | undefined> {
  checkFolderOwner(folder)
  try {
    const place = new ClaimPlace(new SocketFolder(folder))
    const giveBack = await place.claim()
    if (giveBack === undefined) place.close()
    return giveBack
  } catch (error) {
    throw new Failure('start', `cannot use the folder ${folder}: ${sentenceOf(error)}`, error)
  }
}

/**
 * Refuses a folder that others may write to. Does not make it private, because what others put into it cannot
 * be told from what belongs there. A folder that others can only read is accepted: its files are private. Throws a
 * `start` failure.
 */
export function checkFolderOwner(folder: string): void {
  let found
  try {
    found = statSync(folder)
  } catch (error) {
    throw new Failure('start', `cannot use the folder ${folder}: ${sentenceOf(error)}`, error)
  }
  const user = process.getuid?.()
  if (user === undefined) return
  if (found.uid !== user)
    throw new Failure(
      'start',
      `the folder ${folder} belongs to another user; give this client its own with --data-dir`,
    )
  if ((found.mode & 0o022) !== 0)
    throw new Failure(
      'start',
      `other users can write to the folder ${folder}; check what is in it, then run: chmod 700 ${folder}`,
    )
}

class ClaimPlace {
  readonly #folder: SocketFolder

  constructor(folder: SocketFolder) {
    this.#folder = folder
  }

  close(): void {
    this.#folder.close()
  }

  /** Resolves to undefined when another process has the folder. */
  async claim(): Promise<(() => void) | undefined> {
    const last = this.#highest()
    if (last > 0 && (await isAlive(this.#folder.socket(`claim.${last}`)))) return undefined
    const own = `claim-${randomBytes(6).toString('hex')}`
    const server = await listen(this.#folder.socket(own))
    const number = last + 1
    const isLinked = await this.#link(own, number)
    if (!isLinked || this.#highest() !== number) {
      server.close()
      return undefined
    }
    for (const each of this.#numbers()) if (each < number) rmSync(this.#path(each), { force: true })
    return () => {
      server.close()
      this.close()
    }
  }

  async #link(own: string, number: number): Promise<boolean> {
    const path = join(this.#folder.path, own)
    try {
      await link(path, this.#path(number))
      return true
    } catch (error) {
      if (systemCode(error) === 'EEXIST') return false
      throw error
    } finally {
      await rm(path, { force: true })
    }
  }

  #path(number: number): string {
    return join(this.#folder.path, `claim.${number}`)
  }

  #highest(): number {
    return Math.max(0, ...this.#numbers())
  }

  #numbers(): number[] {
    return readdirSync(this.#folder.path).flatMap((name) => {
      const number = /^claim\.([1-9]\d{0,14})$/.exec(name)?.[1]
      return number === undefined ? [] : [Number(number)]
    })
  }
}

function listen(path: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy())
    server.once('error', reject)
    server.listen(path, () => {
      server.unref()
      resolve(server)
    })
  })
}

/** Rejects when this cannot be determined, for example because the socket may not be opened. */
function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', (error) => {
      const code = systemCode(error)
      // EAGAIN: the holder's backlog is full of other claimants. ENOENT: a higher claim came meanwhile.
      if (code === 'EAGAIN') resolve(true)
      else if (code === 'ECONNREFUSED' || code === 'ENOENT') resolve(false)
      else reject(error)
    })
  })
}
