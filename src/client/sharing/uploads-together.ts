// What one client fetches of a file on several connections, as one.

import { pieceBytes } from '../../common/limits.ts'
import type { Upload } from './served-peer.ts'

/** One upload for each client and file, in the order in which they began. */
export function uploadsTogether(uploads: readonly Upload[]): Upload[] {
  const together = new Map<string, Upload>()
  for (const upload of uploads) {
    const { group, fileId, key } = upload
    const name = JSON.stringify([group, fileId, key])
    const other = together.get(name)
    together.set(name, other === undefined ? upload : sumOf(other, upload))
  }
  return [...together.values()]
}

function sumOf(one: Upload, other: Upload): Upload {
  const sentBytes = one.sentBytes + other.sentBytes
  const pieces = Math.max(one.pieces, other.pieces, Math.floor(sentBytes / pieceBytes))
  return {
    ...one,
    sentBytes,
    bytesPerSecond: one.bytesPerSecond + other.bytesPerSecond,
    pieces: Math.min(one.pieceCount, pieces),
  }
}
