// Goes on with the new version of what is being fetched.

import { downloadName } from '../file-key.ts'
import type { RememberedDownload, UserStore } from '../storage/user-store.ts'
import { journalOf } from '../storage/progress-journal.ts'
import type { Download } from './download.ts'
import type { FoundFile } from './swarm-lookup.ts'

/**
 * Stops a download and remembers it as one of the new version, in the same part file: what both have is found there, and
 * kept. Resolves to the new record; to undefined when it is too late, or `isOver` meanwhile.
 */
export async function switchOver(
  download: Download,
  { fileId, sizeBytes, files }: FoundFile,
  { store, folder, isOver }: { store: UserStore; folder: string; isOver: () => boolean },
): Promise<RememberedDownload | undefined> {
  if (download.isPublishing || !(await download.pause('there is a new version')) || isOver()) return undefined
  const { record } = download
  await journalOf(folder, record.destination, record.fileId).remove()
  const next = { ...record, fileId, sizeBytes, files }
  await store.rememberDownload(next)
  return isOver() ? undefined : next
}

/** For the person. */
export function switchedSentence(record: RememberedDownload): string {
  return `${downloadName(record)} from ${record.group} has a new version, which is downloaded instead; what both have is kept`
}
