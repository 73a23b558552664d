// By which way two members of the lab can be connected at best, from what their routers do.

import type { Way } from '../../src/client/way.ts'
import { memberPort, type Site } from './internet.ts'

/** `serving` has the file, at its site; `fetching` wants it. */
export function bestWay(serving: Site, fetching: Site): Way {
  if (serving === fetching) return 'lan'
  if (!letsOutToMembers(serving) || !letsOutToMembers(fetching)) return 'relayed'
  if (serving.forwardsTo !== undefined) return 'direct'
  if (fetching.forwardsTo !== undefined) return 'called-back'
  return keepsPort(serving) && keepsPort(fetching) ? 'punched' : 'relayed'
}

/** Two ways by which both ends call at once are as good as each other, and chance decides. */
export function isAsGood(way: string, best: Way): boolean {
  return way === best || (way === 'punched' && best === 'called-back')
}

function letsOutToMembers({ letsOut }: Site): boolean {
  return letsOut === '' || letsOut === `tcp dport ${memberPort}`
}

function keepsPort({ masquerade }: Site): boolean {
  return masquerade === ''
}
