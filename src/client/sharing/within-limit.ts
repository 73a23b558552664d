// What may be sent of an entry at the moment, by the limit of its own.

import type { Answering } from './answering.ts'
import type { EntryLimit, EntryLimits } from './entry-limits.ts'
import type { UploadQueue } from './upload-queue.ts'

export interface LimitOfEntry {
  readonly limits: EntryLimits
  readonly uploads: UploadQueue
  readonly group: string
  readonly fileId: string
}

/** What `take` returns; undefined while the limit of the entry allows no further piece. */
export function within(
  { limits, uploads, group, fileId }: LimitOfEntry,
  take: (limit: EntryLimit | undefined) => Answering | undefined,
): Answering | undefined {
  const limit = limits.find(group, fileId)
  return limit === undefined || uploads.mayBegin(limit) ? take(limit) : undefined
}
