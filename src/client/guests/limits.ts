// The bounds of links for guests, in this client.

import { pieceBytes } from '../../common/limits.ts'

export const linkLimits = {
  /** How long a link is good, where nothing is said. */
  usualMs: 24 * 3_600_000,
  /** At most. */
  longestMs: 366 * 24 * 3_600_000,
  /** Links that are good at a time. */
  open: 1000,
  /** A link that has ended says so for so long; then it is as if it had never been. */
  rememberedMs: 30 * 24 * 3_600_000,
  /** Ended links that are remembered; the oldest goes for a new one. */
  ended: 1000,
  /** Networks of a link whose uses are not over; the oldest is over for a new one. */
  guests: 1000,
  /** Parts of a use after it has had all bytes still belong to it for so long: the last ones may have got lost. */
  lostPartsMs: 10 * 60_000,
  /** A use is over when it was sent so many times the size, … */
  sentTimes: 4,
  /** … and this besides, for small files: what an interrupted download throws away is sent again. */
  sentBesideBytes: 32 * pieceBytes,
  /** A guest who takes nothing of what is being sent for so long is cut off. */
  stalledMs: 60_000,
} as const
