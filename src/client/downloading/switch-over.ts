// Goes on with the new version of what is being fetched.

import { Failure } from '../../common/failure.ts'
import { downloadName } from '../file-key.ts'
import type { RememberedDownload, UserStore } from '../storage/user-store.ts'
import { journalOf } from '../storage/progress-journal.ts'
import type { FolderPool } from '../workers/folder-pool.ts'
import { treeOf } from './already-there.ts'
import type { Download } from './download.ts'
import { isThat, settleSwap } from './swap.ts'
import type { FoundFile } from './swarm-lookup.ts'

export interface SwitchParts {
  readonly store: UserStore
  /** The client's data folder. */
  readonly folder: string
  readonly folders: FolderPool
  /** Whether the download is not to go on. */
  readonly isOver: () => boolean
}

/**
 * Stops a download and remembers it as one of the new version, in the same part file: what both have is found there, and
 * kept. Resolves to the new record; to undefined when it is too late, or `isOver` meanwhile.
 */
export async function switchOver(
  download: Download,
  found: FoundFile,
  { store, folder, folders, isOver }: SwitchParts,
): Promise<RememberedDownload | undefined> {
  if (download.isPublishing || !(await download.pause('there is a new version')) || isOver()) return undefined
  const { record } = download
  if (await isNamed(record, folders)) {
    const { fileId, sizeBytes, files } = record
    // Without asking the trackers, who would say again that there is a new version.
    if (!isOver()) download.start({ ...found, fileId, sizeBytes, files, peers: [] })
    return undefined
  }
  await journalOf(folder, record.destination, record.fileId).remove()
  const { fileId, sizeBytes, files } = found
  const next = { ...record, fileId, sizeBytes, files }
  await store.rememberDownload(next)
  return isOver() ? undefined : next
}

/** Whether a folder has its final name: a kill came before that was remembered, and it would pass for the new version. */
async function isNamed(record: RememberedDownload, folders: FolderPool): Promise<boolean> {
  try {
    await settleSwap(record, (path) => treeOf(folders, path), 'new')
    return record.unpacked !== undefined && (await isThat(record.destination, record.unpacked))
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    // The next run says so.
    return false
  }
}

/** For the person. */
export function switchedSentence(record: RememberedDownload): string {
  return `${downloadName(record)} from ${record.group} has a new version, which is downloaded instead; what both have is kept`
}
