// Looks at what a connected peer did of late: requests a late peer's pieces elsewhere, and puts aside a peer that holds
// back while others deliver.

import type { Contact } from './contact.ts'
import type { Contacts } from './contacts.ts'
import type { Giving } from './giving.ts'
import type { Picker } from './picker.ts'
import type { UnderWay } from './under-way.ts'

interface Affected {
  readonly underWay: UnderWay
  readonly picker: Picker
  readonly giving: Giving
  readonly contacts: Contacts
}

/** Called several times a second. */
export function judge(
  contact: Contact,
  nowMs: number,
  { underWay, picker, giving, contacts }: Affected,
): void {
  const { link, share, conduct } = contact
  if (link === undefined || share === undefined) return
  link.flow.look(nowMs, link.receivedBytes)
  if (!share.isLate && link.isLate(nowMs)) {
    underWay.onLate(share)
    picker.onLate(contact.key)
    conduct.onLate()
  }
  const owes = link.askedCount + link.openCount > 0 && !link.isPaused
  if (!conduct.holdsBack(nowMs, owes, link.receivedBytes)) return
  // A peer that chooses may have nothing to choose from.
  const hasSome = link.askedCount > 0 || picker.hasOnOffer(contact.key)
  if (hasSome && giving.othersGive(contact)) contacts.putAside(contact, 'holds back pieces of')
  else conduct.lookAnew()
}
