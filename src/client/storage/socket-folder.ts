// A folder that holds sockets. Their paths must be short, and a folder's need not be.

import { closeSync, openSync, realpathSync } from 'node:fs'
import { join } from 'node:path'

/** A socket path has at most 107 bytes on Linux, and 103 on other systems. */
const longestPathBytes = 103

/** Longer than any name of a socket. */
const nameBytes = 24

export class SocketFolder {
  /** The real path of the folder. */
  readonly path: string
  /** Its name in the paths of sockets. */
  readonly #short: string
  #file: number | undefined

  /** Throws what the system does, or an error when the path is too long. */
  constructor(folder: string) {
    this.path = realpathSync(folder)
    this.#short = this.path
    if (Buffer.byteLength(this.path) + nameBytes <= longestPathBytes) return
    if (process.platform !== 'linux') throw new Error('its path is too long')
    this.#file = openSync(this.path, 'r')
    this.#short = `/proc/self/fd/${this.#file}`
  }

  /** The path by which to listen at a socket of this folder, or to connect to it, until `close`. */
  socket(name: string): string {
    return join(this.#short, name)
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file)
    this.#file = undefined
  }
}
