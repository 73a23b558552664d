// The parts of the client that a share library uses.

import type { LimitFunction } from 'p-limit'
import type { ManifestStore } from '../storage/manifest-store.ts'
import type { UserStore } from '../storage/user-store.ts'
import type { TrackerLink } from '../tracker-link/tracker-link.ts'
import type { FolderPool } from '../workers/folder-pool.ts'
import type { HashPool } from '../workers/hash-pool.ts'
import type { SourceRegistry } from './source-registry.ts'

export interface ShareParts {
  readonly link: TrackerLink
  readonly store: UserStore
  readonly manifests: ManifestStore
  readonly hashes: HashPool
  readonly folders: FolderPool
  readonly sources: SourceRegistry
  /** Bounds the files that are hashed at once. */
  readonly hashing: LimitFunction
  readonly onNotice: (sentence: string) => void
}
