// Where others are told to come, by all that is known here, and whether this client is there.

import { Failure } from '../../common/failure.ts'
import { isWildcard, parseRemoteAddress, type Address } from '../../common/addresses.ts'
import type { TrackerEvidence, ReachEvidence } from '../diagnosis/evidence.ts'
import { reachOwn, type OwnPlace } from '../downloading/own-reach.ts'
import type { FoundFile } from '../downloading/swarm-lookup.ts'
import type { Examination } from './core.ts'

/**
 * `found`: of a file that is shared here, where there is one, as the tracker tells it to others. Undefined while no
 * tracker is connected and the address is none of this machine's alone.
 */
export async function ownReach(
  examination: Examination,
  trackers: readonly TrackerEvidence[],
  found: FoundFile | undefined,
): Promise<ReachEvidence | undefined> {
  const place = await placeOf(examination, trackers, found)
  return place && reachOwn(examination, place)
}

async function placeOf(
  { identity, listen, whereabouts, port }: Examination,
  trackers: readonly TrackerEvidence[],
  found: FoundFile | undefined,
): Promise<OwnPlace | undefined> {
  const seen = found?.peers.find(({ key }) => key === identity.publicKey)
  if (found !== undefined && seen !== undefined)
    return { address: { host: seen.host, port: seen.port }, source: 'seen', ticket: found.ticket }
  try {
    const where = await whereabouts.now()
    if (where.host !== undefined)
      return { address: { host: where.host, port: where.port }, source: 'advertised' }
  } catch (error) {
    // A name without an address: the trackers cannot be told either.
    if (!(error instanceof Failure)) throw error
    return undefined
  }
  // Where a tracker looked for this client is where it sends others.
  const looked = trackers.find(({ cameHere }) => cameHere !== undefined)?.cameHere?.address
  if (looked !== undefined) return { address: parseRemoteAddress(looked), source: 'seen' }
  const host = ownHost(listen, trackers)
  return host === undefined ? undefined : { address: { host, port: port() }, source: 'own' }
}

function ownHost(listen: Address, trackers: readonly TrackerEvidence[]): string | undefined {
  const from = trackers.find(({ calledFrom }) => calledFrom !== undefined)?.calledFrom
  return from ?? (isWildcard(listen.host) ? undefined : listen.host)
}
