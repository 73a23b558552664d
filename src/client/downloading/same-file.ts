// Recognises by its content a file that is here already.

import { stat } from 'node:fs/promises'
import { buildManifest, type Manifest } from '../../common/manifest.ts'
import { stampAt } from '../sharing/file-stamp.ts'
import type { HashPool } from '../workers/hash-pool.ts'

/** A content: only a file of this size can be it, and only this one has this id. */
interface Content {
  readonly fileId: string
  readonly sizeBytes: number
}

/**
 * The manifest of the regular file at this path when it is that content and nobody writes to it; else undefined. Hashes a
 * file of the right size. Rejects with a `file` failure, or with the signal's reason.
 */
export async function manifestIfSame(
  path: string,
  { fileId, sizeBytes }: Content,
  hashes: Pick<HashPool, 'hashFile'>,
  signal?: AbortSignal,
): Promise<Manifest | undefined> {
  const there = await stat(path).catch(() => undefined)
  if (there?.isFile() !== true || there.size !== sizeBytes) return undefined
  const stamp = await stampAt(path)
  const manifest = buildManifest(sizeBytes, await hashes.hashFile(path, sizeBytes, { signal }))
  return manifest.fileId === fileId && (await stampAt(path)) === stamp ? manifest : undefined
}
