// What keeps others from getting a share from here, for the diagnosis.

import type { ShareEvidence } from '../diagnosis/evidence.ts'
import type { RememberedShare } from '../storage/user-store.ts'
import { isOfSameFile, stampAt } from './file-stamp.ts'
import type { Registrar } from './registrar.ts'
import type { Served } from './served-files.ts'

/** What a share itself knows; limits concern all of them. */
export type OwnShareEvidence = Omit<ShareEvidence, 'limit' | 'activeUsers'>

/** Files of a folder that are named as changed. */
const changedNamed = 5

/** `served`: undefined while it is not. Undefined for a name that is not shared. Never rejects. */
export async function evidenceOf(
  share: RememberedShare | undefined,
  served: Served | undefined,
  registrar: Registrar,
): Promise<OwnShareEvidence | undefined> {
  if (share === undefined) return undefined
  return {
    file: await fileOf(share, served),
    ...(served === undefined || served.file.changed.length === 0
      ? {}
      : { changed: served.file.changed.slice(0, changedNamed), changedCount: served.file.changed.length }),
    path: share.path,
    isListed: registrar.isRegistered(share),
    answer: registrar.answerTo(share),
  }
}

async function fileOf(
  { path, stamp, files }: RememberedShare,
  served: Served | undefined,
): Promise<ShareEvidence['file']> {
  // What cannot be looked at cannot be read.
  const there = await stampAt(path).catch(() => undefined)
  if (there === undefined) return 'gone'
  // A folder looks at its files itself.
  if (files !== undefined) {
    if (served?.offer === undefined) return 'checking'
    return served.file.changed.length > 0 ? 'changed' : 'served'
  }
  if (stamp !== undefined && there !== stamp) return isOfSameFile(there, stamp) ? 'changed' : 'replaced'
  return served?.offer === undefined ? 'checking' : 'served'
}
