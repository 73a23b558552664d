// Places with small bounds, and who had to go.

import { Places, type Place, type PlaceLimits } from '../../src/common/wire/places.ts'

export const smallLimits = {
  unheard: 0,
  waiting: 0,
  unproven: 6,
  unprovenOfNetwork: 3,
  unprovenOfLoopback: 5,
  begunGraceMs: 1000,
  crowdedGraceMs: 100,
  claimed: 0,
  claimedOfOwner: 0,
  ofOwner: 2,
  proven: 8,
  all: 8,
}

/** Places, and who had to go, by the name given here. */
export interface At {
  readonly places: Places
  readonly gone: string[]
  readonly come: (name: string, host: string, nowMs: number) => Place | string
  /** Comes, and begins to log in. */
  readonly begin: (name: string, host: string, nowMs: number) => void
}

export function placesAt(bounds: PlaceLimits = smallLimits): At {
  const places = new Places(bounds)
  const gone: string[] = []
  const come = (name: string, host: string, nowMs: number): Place | string =>
    places.take(host, nowMs, () => gone.push(name))
  const begin = (name: string, host: string, nowMs: number): void => {
    const place = come(name, host, nowMs)
    if (typeof place === 'string') throw new Error(place)
    places.begin(place, nowMs)
  }
  return { places, gone, come, begin }
}
