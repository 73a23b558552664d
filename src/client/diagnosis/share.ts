// What keeps others from getting a share from here, most important first. Pure.

import { counted } from '../../common/counted.ts'
import { formatSize } from '../../common/sizes.ts'
import type { ReachEvidence, ShareEvidence, TrackerEvidence } from './evidence.ts'
import { finding, type Finding } from './reasons.ts'
import { whyNoTracker } from './trackers.ts'

/** `reach`: undefined where it was not tried. */
export function whyShare(
  share: ShareEvidence,
  trackers: readonly TrackerEvidence[],
  reach: ReachEvidence | undefined,
): Finding[] {
  const found = [...whyNotServed(share), ...whyNoTracker(trackers)]
  if (!share.isListed && found.length === 0) found.push(finding('not-listed', share.answer))
  if (reach?.problem !== undefined) {
    const sentence = `others are told to connect to ${reach.address}, and this client is not there: ${reach.problem}`
    found.push(finding('unreachable', sentence, { addresses: [reach.address] }))
  }
  if (share.limit !== undefined && share.activeUsers > 0) {
    const who = counted(share.activeUsers, 'user fetches from here', 'users fetch from here')
    found.push(
      finding('limited', `your own upload limit of ${formatSize(share.limit)}/s slows it down; ${who}`),
    )
  }
  return found.length > 0 ? found : [finding('sharing')]
}

function whyNotServed({ file, path, changed = [], changedCount = 0 }: ShareEvidence): Finding[] {
  if (file === 'served') return []
  if (file === 'checking') return [finding('verifying', `${path} is verified before others get it`)]
  if (file === 'gone') return [finding('file-gone', `${path} cannot be read`)]
  if (changed.length > 0) {
    const more = changedCount > changed.length ? ` and ${changedCount - changed.length} more` : ''
    const what = `in ${path} these files changed: ${changed.join(', ')}${more}`
    return [finding('file-changed', `${what}; others get only what is left; upload it again`)]
  }
  const is =
    file === 'changed'
      ? 'was changed; others get only its unchanged parts'
      : 'is not the file that you shared'
  return [finding('file-changed', `${path} ${is}`)]
}
