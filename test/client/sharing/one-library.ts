// A share library with everything real but the trackers, which say yes to everything.

import pLimit, { type LimitFunction } from 'p-limit'
import { onTestFinished } from 'vitest'
import { FolderPool } from '../../../src/client/workers/folder-pool.ts'
import { HashPool } from '../../../src/client/workers/hash-pool.ts'
import { SourceRegistry } from '../../../src/client/sharing/source-registry.ts'
import { ShareLibrary } from '../../../src/client/sharing/share-library.ts'
import { ManifestStore } from '../../../src/client/storage/manifest-store.ts'
import { UserStore } from '../../../src/client/storage/user-store.ts'
import type { TrackerLink } from '../../../src/client/tracker-link/tracker-link.ts'
import { accept, refuse } from '../../../src/common/refusal.ts'
import { temporaryFolder } from '../temporary-folder.ts'

export interface OneLibrary {
  readonly link: TrackerLink
  readonly library: ShareLibrary
  readonly sources: SourceRegistry
  readonly store: UserStore
  readonly manifests: ManifestStore
  readonly notices: string[]
  readonly retracted: unknown[]
  readonly announced: unknown[]
  /** One file is hashed at a time. */
  readonly hashing: LimitFunction
}

/** In this folder; another one in the same folder is the next start of the program. */
export async function oneLibrary(folder = temporaryFolder(), hashes = new HashPool()): Promise<OneLibrary> {
  const notices: string[] = []
  const retracted: unknown[] = []
  const announced: unknown[] = []
  const onNotice = (sentence: string): void => void notices.push(sentence)
  const link = {
    announce: (file: unknown) => Promise.resolve(void announced.push(file)),
    ask: () => Promise.resolve(refuse('unknown-method', 'this tracker knows little')),
    change: () => Promise.resolve(accept(undefined)),
    retract: (file: unknown) => retracted.push(file),
  } as unknown as TrackerLink
  const manifests = new ManifestStore(folder)
  const store = await UserStore.open(folder, 'cluster', 'ann', {
    onTrouble: onNotice,
    onUnused: (fileId) => manifests.remove(fileId),
  })
  const sources = new SourceRegistry()
  sources.announceBy(link)
  const hashing = pLimit(1)
  const folders = new FolderPool()
  const library = new ShareLibrary({ link, store, manifests, hashes, folders, sources, hashing, onNotice })
  onTestFinished(async () => {
    await library.close()
    await store.close()
  })
  return { link, library, sources, store, manifests, notices, retracted, announced, hashing }
}
