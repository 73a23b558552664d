// All attacks, in the order of docs/security.md's list of attackers.

import type { Attack } from './battle.ts'
import { connectionAttacks } from './connections.ts'

export const attacks: readonly Attack[] = [...connectionAttacks]
