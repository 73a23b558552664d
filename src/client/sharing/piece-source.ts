// The interface of what pieces are served from: a shared file, or a download under way.

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

/** The key of a content in a group. Group names have no spaces. */
export function sourceKey(group: string, fileId: string): string {
  return `${group} ${fileId}`
}
