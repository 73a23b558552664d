// A fault between real clients and trackers, and how it is asked about.

import type { WhyCode } from '../../../src/client/diagnosis/reasons.ts'
import type { Member } from '../sharing/two-sharers.ts'
import type { Place } from './place.ts'

export interface Stage {
  readonly place: Place
  /** Owns the group `g`. */
  readonly ann: Member
  /** Is in it, and fetches. */
  readonly ben: Member
}

/** What is named first, with what is said about it. */
export type Ask = () => Promise<string>

export interface Fault {
  readonly what: string
  readonly named: WhyCode | `doctor: ${string}`
  /** In the sentence. */
  readonly says?: RegExp
  /** Makes the fault; the result asks about it. */
  readonly make: (stage: Stage) => Promise<Ask>
}

/** `code: sentence` of the first finding. */
export function asking({ place }: Stage, member: Member, group: string, name?: string): Ask {
  return async () => {
    const [first] = await place.why(member, group, name)
    return `${first?.code}: ${first?.sentence} ${first?.addresses?.join(' ') ?? ''}`
  }
}

export function consulting({ place }: Stage, member: Member): Ask {
  return async () => `doctor: ${(await place.troubles(member)).join()}:`
}

/** Ben fetches what another client of Ann's shares, which is made like this. */
export async function fetched(
  stage: Stage,
  name: string,
  options: Parameters<Place['member']>[1],
): Promise<Ask> {
  const { place, ben } = stage
  const eve = await place.member('ann', options)
  await place.shares(eve, 'g', name)
  await place.fetches(ben, 'g', name)
  return asking(stage, ben, 'g', name)
}
