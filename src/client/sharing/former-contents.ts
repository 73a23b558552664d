// The files that were served until lately: when a new version ends the share of the old one, the download of the new one
// wants to know at once what the file on disk has, without hashing it again.

import { sizeOf, type FileStamp } from './file-stamp.ts'
import type { LocalContent } from './local-content.ts'

/** 52 bytes of hashes each: 13 MiB, of 128 GiB of files. */
const piecesMax = 256 * 1024
const contentsMax = 1000

export class FormerContents {
  /** By path, the one that ended longest ago first. */
  readonly #contents = new Map<string, LocalContent>()
  #pieces = 0

  /** The file at this path is no longer served. Whichever ended longest ago are forgotten where these become too many. */
  onEnded(path: string, content: LocalContent): void {
    this.#forget(path)
    this.#contents.set(path, content)
    this.#pieces += content.manifest.pieceCount
    for (const oldest of this.#contents.keys()) {
      if (this.#pieces <= piecesMax && this.#contents.size <= contentsMax) return
      this.#forget(oldest)
    }
  }

  /** What the file at this path was proven to be, if that was under the stamp that it has now. */
  find(path: string, stamp: FileStamp): LocalContent | undefined {
    const content = this.#contents.get(path)
    return content?.stamp === stamp && content.manifest.sizeBytes === sizeOf(stamp) ? content : undefined
  }

  #forget(path: string): void {
    this.#pieces -= this.#contents.get(path)?.manifest.pieceCount ?? 0
    this.#contents.delete(path)
  }
}
