// The parts of the client that its downloads use.

import type { ClientEvent } from '../operations.ts'
import type { ShareLibrary } from '../sharing/share-library.ts'
import type { SourceRegistry } from '../sharing/source-registry.ts'
import type { ManifestStore } from '../storage/manifest-store.ts'
import type { UserStore } from '../storage/user-store.ts'
import type { TrackerLink } from '../tracker-link/tracker-link.ts'
import type { FolderPool } from '../workers/folder-pool.ts'
import type { HashPool } from '../workers/hash-pool.ts'
import type { RecipePool } from '../workers/recipe-pool.ts'
import type { StorePool } from '../workers/store-pool.ts'
import type { FolderReader } from './folder-reader.ts'
import type { ClientNetwork } from './swarm-parts.ts'

export interface DownloadsParts {
  readonly link: TrackerLink
  readonly network: ClientNetwork
  readonly store: UserStore
  readonly manifests: ManifestStore
  readonly hashes: HashPool
  readonly folders: FolderPool
  readonly storing: StorePool
  readonly recipes: RecipePool
  readonly sources: SourceRegistry
  readonly shares: ShareLibrary
  readonly reader: FolderReader
  /** The folder of the journals. */
  readonly folder: string
  readonly onEvent: (event: ClientEvent) => void
  /** Of a bug. */
  readonly onFailure: (error: unknown) => void
}
