// What a run of a download works with, and the download that it belongs to.

import type { Failure } from '../../common/failure.ts'
import type { Manifest } from '../../common/manifest.ts'
import type { Answer } from '../../common/refusal.ts'
import type { LocalContent } from '../sharing/local-content.ts'
import type { ManifestStore } from '../storage/manifest-store.ts'
import type { ProgressJournal } from '../storage/progress-journal.ts'
import type { RememberedDownload } from '../storage/user-store.ts'
import type { HashPool } from '../workers/hash-pool.ts'
import type { RecipePool } from '../workers/recipe-pool.ts'
import type { StorePool } from '../workers/store-pool.ts'
import type { DownloadStep } from './download-state.ts'
import type { PartId } from './part-file.ts'
import type { PeerNotes } from './peer-notes.ts'
import type { PieceStore } from './piece-store.ts'
import type { Rank } from './precedence.ts'
import type { SwarmLookup } from './swarm-lookup.ts'
import type { SwarmNetwork } from './swarm-parts.ts'
import type { Wishes } from './wishes.ts'

export interface RunParts {
  readonly network: SwarmNetwork
  readonly manifests: ManifestStore
  readonly hashes: HashPool
  readonly storing: StorePool
  readonly recipes: RecipePool
  readonly journal: ProgressJournal
  /** Resolves when the record of the download is on disk: until then nothing may be written to the part file. */
  readonly remembered: Promise<void>
  /** Its manifest, where this client serves it: that of a small file is not among `manifests`. */
  readonly served: () => Manifest | undefined
  /** What is at `from` of the record, where that was hashed already. */
  readonly here?: LocalContent | undefined
  /** Hashes the file or folder at a path. */
  readonly contentAt: (path: string) => Promise<Answer<LocalContent>>
  /** SHA-256 of the tree of a folder now, hex; undefined where it has none. */
  readonly treeAt: (path: string) => Promise<string | undefined>
}

/** The download that a run belongs to. */
export interface RunHost {
  readonly record: RememberedDownload
  readonly lookup: SwarmLookup
  readonly notes: PeerNotes
  readonly rank: Rank
  /** What somebody waits for. */
  readonly wishes: Wishes
  /** The run reached this step. Returns false when the download has moved on; the run then ends. */
  step(step: DownloadStep): boolean
  /** The part file in use. */
  onPart(id: PartId): void
  /** The folder that is being filled; resolves when that is remembered. */
  onUnpacking(id: PartId): Promise<void>
  /** It is known which files of a folder are fetched: these bytes, and these pieces. */
  onSelected(sizeBytes: number, store: PieceStore): void
  /** There is nothing to fetch, and will not be; `why` is a sentence. */
  onNothing(why: string): void
  /** Pieces can be served from now on; called before the first `onHave`. */
  onServing(store: PieceStore): void
  onHave(store: PieceStore, index: number): void
  /** Some pieces turned out to be bad; the others remain available. */
  onLost(store: PieceStore): void
  /** The file has its final name. Resolves once something else serves it; until then the store does. */
  onPublished(manifest: Manifest, flushed: Promise<void>): Promise<void>
  /** The run ends because of this failure. Called after everything is closed. */
  onTrouble(failure: Failure): void
  onNotice(sentence: string): void
}
