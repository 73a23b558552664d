// A folder whose pieces are known: its files on disk, by what they are recognised, and what of it has changed since.

import type { Manifest } from '../../common/manifest.ts'
import type { FolderPieces } from '../folder/folder-pieces.ts'
import type { FolderStamps } from '../folder/folder-stamps.ts'
import type { ManifestStore } from '../storage/manifest-store.ts'
import type { UserStore } from '../storage/user-store.ts'
import type { FolderPool } from '../workers/folder-pool.ts'
import type { HashPool } from '../workers/hash-pool.ts'
import type { HashingFiles } from './hashing-files.ts'

/** What folders are shared with. */
export interface FolderParts {
  readonly hashing: HashingFiles
  readonly hashes: HashPool
  readonly folders: FolderPool
  readonly manifests: ManifestStore
  readonly store: UserStore
}

export interface KnownFolder {
  readonly manifest: Manifest
  readonly pieces: FolderPieces
  /** Of the files when they were what was hashed. */
  readonly stamps: FolderStamps
  /** Files that are something else now, by their numbers in the tree … */
  readonly changed: readonly number[]
  /** … and the pieces that went with them. */
  readonly lostPieces: readonly number[]
}
