// What keeps others from getting a share from here, for the diagnosis.

import type { ShareEvidence } from '../diagnosis/evidence.ts'
import type { RememberedShare } from '../storage/user-store.ts'
import { isOfSameFile, stampAt } from './file-stamp.ts'
import type { Registrar } from './registrar.ts'
import type { Served } from './served-files.ts'

/** What a share itself knows; limits concern all of them. */
export type OwnShareEvidence = Omit<ShareEvidence, 'limit' | 'activeUsers'>

/** `served`: undefined while it is not. Undefined for a name that is not shared. Never rejects. */
export async function evidenceOf(
  share: RememberedShare | undefined,
  served: Served | undefined,
  registrar: Registrar,
): Promise<OwnShareEvidence | undefined> {
  if (share === undefined) return undefined
  return {
    file: await fileOf(share, served),
    path: share.path,
    isListed: registrar.isRegistered(share),
    answer: registrar.answerTo(share),
  }
}

async function fileOf(
  { path, stamp }: RememberedShare,
  served: Served | undefined,
): Promise<ShareEvidence['file']> {
  // What cannot be looked at cannot be read.
  const there = await stampAt(path).catch(() => undefined)
  if (there === undefined) return 'gone'
  if (stamp !== undefined && there !== stamp) return isOfSameFile(there, stamp) ? 'changed' : 'replaced'
  return served?.offer === undefined ? 'checking' : 'served'
}
