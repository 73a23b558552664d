// Asks the trackers to take a share: once, or until they have decided.

import { refuse, type Answer, type RefusalCode } from '../../common/refusal.ts'
import type { RememberedShare } from '../storage/user-store.ts'
import type { TrackerLink } from '../tracker-link/tracker-link.ts'
import { isFinalForShare, isPassing, type Registrar } from './registrar.ts'

/** What trackers answer that know no folders, or wait for others that do not. */
const beforeFolders: ReadonlySet<RefusalCode> = new Set<RefusalCode>(['invalid-params', 'invalid-request'])

/** Rejects with a failure when none can be reached. */
export async function askToShare(share: RememberedShare, link: TrackerLink): Promise<Answer<void>> {
  const { group, name, fileId, sizeBytes, files } = share
  if (files === undefined) return link.change('share_file', { group, name, fileId, sizeBytes })
  const answer = await link.change('share_file', { group, name, fileId, sizeBytes, files })
  if (answer.ok || !beforeFolders.has(answer.refusal.code)) return answer
  return refuse(
    'protocol-version',
    'the trackers are too old for folders; whoever runs them has to update all of them',
  )
}

/** Asks until they accept it or refuse it for good. Says once what any other refusal was. */
export function untilTaken(
  share: RememberedShare,
  link: TrackerLink,
  registrar: Registrar,
  say: (sentence: string) => void,
): Promise<Answer<void>> {
  let isSaid = false
  const ask = async (): Promise<Answer<void>> => {
    const answer = await askToShare(share, link)
    if (answer.ok || isSaid || isPassing(answer.refusal.code) || isFinalForShare(answer.refusal.code))
      return answer
    isSaid = true
    say(answer.refusal.sentence)
    return answer
  }
  return registrar.share(share, ask, true)
}
