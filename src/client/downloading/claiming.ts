// Makes the part file of a new download, so that a kill at any moment leaves none that nobody knows.

import type { Answer } from '../../common/refusal.ts'
import type { RememberedDownload, UserStore } from '../storage/user-store.ts'
import { claimPlace } from './destination.ts'
import type { PartId } from './part-file.ts'

/** What no file has. Of another file only an empty one is taken for the part of a download, as after a kill. */
const notMadeYet: PartId = 'not made yet'

/** Remembers the download before it makes its part file; forgets it where that is refused. */
export async function claimRemembered(record: RememberedDownload, store: UserStore): Promise<Answer<PartId>> {
  await store.rememberDownload({ ...record, part: notMadeYet })
  const claimed = await claimPlace(record.destination)
  if (!claimed.ok) await store.forgetDownload(record)
  return claimed
}
