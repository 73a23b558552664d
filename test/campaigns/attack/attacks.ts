// All attacks.

import type { Attack } from './battle.ts'
import { connectionAttacks } from './connections.ts'
import { floods } from './floods.ts'
import { guessAttacks } from './guesses.ts'
import { guestAttacks } from './guests.ts'
import { inBetween } from './in-between.ts'
import { listening } from './listening.ts'
import { trackerAttacks } from './malicious-tracker.ts'
import { peerAttacks } from './peers.ts'
import { replayAttacks } from './replays.ts'
import { ticketAttacks } from './tickets.ts'

export const attacks: readonly Attack[] = [
  ...connectionAttacks,
  ...floods,
  ...guessAttacks,
  ...replayAttacks,
  ...ticketAttacks,
  listening,
  ...inBetween,
  ...trackerAttacks,
  ...peerAttacks,
  ...guestAttacks,
]
