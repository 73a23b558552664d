// Checks that an open data file is still the one at its path. A file that was removed or replaced can still be
// written, and all of it is lost when the process ends.

import { statSync } from 'node:fs'
import { Failure } from '../../common/failure.ts'

export class PlaceOfFile {
  readonly #path: string
  /** The file and its write-ahead log, which has the latest commits. */
  readonly #files: readonly { readonly path: string; readonly identity: string | undefined }[]

  /** Call when the file has just been opened. */
  constructor(path: string) {
    this.#path = path
    this.#files = [path, `${path}-wal`].map((path) => ({ path, identity: identityOf(path) }))
  }

  /** Throws a `data` failure when another file is there, or none. Costs 3 µs a file. */
  check(): void {
    for (const { path, identity } of this.#files) {
      if (identityOf(path) === identity) continue
      throw new Failure(
        'data',
        `${path} was removed or replaced while this tracker was using it; stop every tracker of ${this.#path}, put the file and its companions back, and start again`,
      )
    }
  }
}

function identityOf(path: string): string | undefined {
  const stats = statSync(path, { throwIfNoEntry: false })
  return stats === undefined ? undefined : `${stats.dev} ${stats.ino}`
}
