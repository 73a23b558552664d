// What follows from it that a peer refuses to give, or a piece which it had offered.

import { sentenceOf } from '../../common/failure.ts'
import type { Refusal } from '../../common/refusal.ts'
import type { Contact } from './contact.ts'
import type { Contacts } from './contacts.ts'
import { isOfTicket } from './peer-greeting.ts'
import type { PeerLanes } from './peer-lanes.ts'
import type { PieceRequest } from './piece-request.ts'
import type { PeerNotes } from './peer-notes.ts'
import type { Picker } from './picker.ts'

interface Affected {
  readonly picker: Picker
  readonly contacts: Contacts
  readonly notes: PeerNotes
  readonly onTicketRefused: () => void
}

export function onPieceRefused(
  { contact, link, request }: { contact: Contact; link: PeerLanes; request: PieceRequest },
  refusal: Refusal,
  { picker, contacts, notes, onTicketRefused }: Affected,
): void {
  const { index, isCancelled, isGivenUp, sentAtMs } = request
  const nowMs = performance.now()
  if (index !== undefined && isGivenUp !== true) {
    if (refusal.code === 'piece-missing') picker.onLacks(contact.key, index)
    else picker.onGivenUp(contact.key, index)
  }
  // We cancelled it because another peer was faster, which is common with many peers.
  if (refusal.code === 'cancelled' && isCancelled === true) return
  const { conduct } = contact
  if (refusal.code === 'piece-missing') notes.onLacked(link.peer)
  else notes.onRefused(link.peer, refusal)
  if (isOfTicket(refusal)) {
    conduct.onTicketRefused(nowMs)
    onTicketRefused()
    return
  }
  const isLack = refusal.code === 'piece-missing'
  if (isLack ? conduct.onLacked() : conduct.onRefused(nowMs, sentAtMs))
    contacts.putAside(contact, 'refuses pieces of', sentenceOf(refusal.sentence))
  else if (refusal.code === 'file-changed' || refusal.code === 'not-shared')
    link.close(sentenceOf(refusal.sentence))
}

/**
 * Refused before any piece was requested: the peer may have stopped sharing without the trackers knowing.
 */
export function onPeerRefused(
  contact: Contact,
  refusal: Refusal,
  { contacts, notes, onTicketRefused }: Omit<Affected, 'picker'>,
): void {
  const { conduct } = contact
  const [peer] = contact.addresses
  if (peer !== undefined) notes.onRefused(peer, refusal)
  if (isOfTicket(refusal)) onTicketRefused()
  else if (conduct.onRefused(performance.now())) {
    contacts.putAside(contact, 'refuses to give', sentenceOf(refusal.sentence))
    return
  }
  contacts.retryLater(contact)
}
