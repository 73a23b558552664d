// What a connected peer does at present, for the diagnosis.

import { formatAddress } from '../../common/addresses.ts'
import type { LinkEvidence } from '../diagnosis/evidence.ts'
import type { Contact } from './contact.ts'
import type { PeerNotes } from './peer-notes.ts'

/** Nothing for a peer that is not connected. `nowMs`: of `performance.now()`. */
export function evidenceOf({ link, user, key }: Contact, notes: PeerNotes, nowMs: number): LinkEvidence[] {
  if (link === undefined) return []
  const { flow, owesSinceMs } = link
  flow.look(nowMs, link.receivedBytes)
  const sinceMs = owesSinceMs === undefined ? nowMs : Math.max(owesSinceMs, flow.movedAtMs)
  return [
    {
      user,
      address: formatAddress(link.peer),
      sinceMs: link.openedAtMs,
      owes: link.askedCount + link.openCount,
      silentForMs: link.isPaused ? 0 : nowMs - sinceMs,
      bytesPerSecond: flow.bytesPerSecond(nowMs),
      isPaused: link.isPaused,
      isLimited: link.isLimited,
      hasChanged: notes.hasChanged(key),
      way: link.route.way,
      whyNot: link.route.whyNot,
    },
  ]
}
