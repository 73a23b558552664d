// Where pieces to serve come from: a shared file, or a download that has some already. The registry is
// the one place where the peer server meets the library and the downloads; neither knows the others.

import type { Bitfield } from '../../common/bitfield.ts'
import type { Manifest } from '../../common/manifest.ts'
import type { Answer } from '../../common/refusal.ts'

export interface PieceSource {
  readonly manifest: Manifest
  /** Invariant: a bit is set only after the piece was verified and written. */
  readonly have: Bitfield
  /** Fills the start of `buffer` with piece `index`. Refuses when the file changed or cannot be read. */
  read(index: number, buffer: Buffer): Promise<Answer<void>>
}

export interface SourceEvents {
  onHave(group: string, fileId: string, index: number): void
  onWithdrawn(group: string, fileId: string, why: string): void
}

export class SourceRegistry {
  readonly #sources = new Map<string, PieceSource>()
  #events: SourceEvents | undefined

  /** Sets who is told of changes. */
  listen(events: SourceEvents): void {
    this.#events = events
  }

  /** Serves this from now on; takes the place of what served the same file before. */
  offer(group: string, source: PieceSource): void {
    this.#sources.set(sourceKey(group, source.manifest.fileId), source)
  }

  find(group: string, fileId: string): PieceSource | undefined {
    return this.#sources.get(sourceKey(group, fileId))
  }

  /** One more piece is there: verified, written and marked. */
  tellHave(group: string, fileId: string, index: number): void {
    if (this.find(group, fileId) !== undefined) this.#events?.onHave(group, fileId, index)
  }

  withdraw(group: string, fileId: string, why: string): void {
    if (this.#sources.delete(sourceKey(group, fileId))) this.#events?.onWithdrawn(group, fileId, why)
  }
}

/** Names what is served. Group names have no spaces. */
export function sourceKey(group: string, fileId: string): string {
  return `${group} ${fileId}`
}
