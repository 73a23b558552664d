// Manifests of small files are kept in the records of their shares. Thousands of files for them would each be flushed when
// they are made, and opened at every login.

import { pieceBytes } from '../../common/limits.ts'
import { manifestLength, parseManifest, type Manifest } from '../../common/manifest.ts'
import type { RememberedShare } from './user-store.ts'

/** Of a file of one piece. */
const smallBytesMax = manifestLength(pieceBytes)

/** Whether it is kept in records, and has no file of its own. */
export function isSmall({ folder, bytes }: Manifest): boolean {
  return folder === undefined && bytes.length <= smallBytesMax
}

/** What the record of a share has of it. */
export function smallManifest(manifest: Manifest): Pick<RememberedShare, 'manifest'> {
  return isSmall(manifest) ? { manifest: manifest.bytes.toString('base64') } : {}
}

/** Undefined where the record has none, or where its id shows that it is damaged. */
export function manifestIn({ manifest: text, fileId }: RememberedShare): Manifest | undefined {
  const manifest = text === undefined ? undefined : parseManifest(Buffer.from(text, 'base64'))
  return manifest?.fileId === fileId ? manifest : undefined
}
