// What a simulated swarm is made of, and what came of it.

import { pieceBytes } from '../../src/common/limits.ts'
import { seededRandom } from './seeded-random.ts'

export interface Place {
  readonly x: number
  readonly y: number
}

export interface MemberPlan {
  /** Upload bandwidth. Downloads are not limited. */
  readonly bytesPerSecond: number
  readonly isSeeder?: boolean
  /** Pieces that it has from the beginning, as an earlier version has them. */
  readonly has?: readonly number[]
  /** From this end to the middle of the network, one way. */
  readonly latencyMs?: number
  /** Where it is: what is said travels as many milliseconds longer as two members are apart. */
  readonly place?: Place
  /** It comes at this time. */
  readonly startsAtMs?: number
  /** Its connections break at this time. */
  readonly diesAtMs?: number
  /** It comes back with the pieces it has. */
  readonly returnsAtMs?: number
  /** It stops to answer at this time, its connections stay open. */
  readonly hangsAtMs?: number
}

export interface SwarmPlan {
  readonly pieceCount: number
  readonly members: readonly MemberPlan[]
  readonly seed: number
}

export interface SwarmResult {
  /** By member: when it had every piece; undefined when it was dead or hung at the end. */
  readonly finishedAtMs: readonly (number | undefined)[]
  readonly lastFinishedMs: number
  readonly deliveredPieces: number
  /** Delivered to somebody who had them already. */
  readonly wastedPieces: number
  /** Lines sent, of every kind, without the bytes of pieces. */
  readonly messages: number
  readonly events: number
}

/**
 * The time that no swarm can beat: that of the seeders for what nobody else has, that of all together, or that of all
 * others for what one lacks. In milliseconds.
 */
export function boundMs(plan: SwarmPlan): number {
  const seeders = plan.members.filter((member) => member.isSeeder === true)
  const others = plan.members.filter((member) => member.isSeeder !== true)
  const sum = (members: readonly MemberPlan[]): number =>
    members.reduce((rate, member) => rate + member.bytesPerSecond, 0)
  const all = sum(plan.members)
  const missing = others.map(({ bytesPerSecond, has = [] }) => ({
    pieces: plan.pieceCount - has.length,
    fromOthers: all - bytesPerSecond,
  }))
  const atSeedersOnly = plan.pieceCount - new Set(others.flatMap(({ has = [] }) => has)).size
  const together = missing.reduce((pieces, one) => pieces + one.pieces, 0) / all
  const alone = missing.map(({ pieces, fromOthers }) => pieces / fromOthers)
  return 1000 * pieceBytes * Math.max(atSeedersOnly / sum(seeders), together, ...alone)
}

/** The time of the last to finish, as a multiple of the time that no swarm can beat. */
export function ratioOf(plan: SwarmPlan, result: SwarmResult): number {
  return result.lastFinishedMs / boundMs(plan)
}

/** Pieces that came twice, as a share of those that were needed. */
export function wasteOf(result: SwarmResult): number {
  return result.wastedPieces / (result.deliveredPieces - result.wastedPieces)
}

const MiB = 1024 * 1024

/** One seeder and so many downloaders at once, all with the same upload bandwidth. */
export function flashCrowd(downloaders: number, seed: number, pieceCount = 128): SwarmPlan {
  const member = { bytesPerSecond: 4 * MiB }
  return {
    pieceCount,
    members: [{ ...member, isSeeder: true }, ...Array.from({ length: downloaders }, () => member)],
    seed,
  }
}

/**
 * Likewise with a new version, of which a tenth of the pieces are new. One in `oneIn` has the version before, the others
 * have nothing. By default as many pieces are new as a flash crowd fetches.
 */
export function versionCrowd(downloaders: number, seed: number, oneIn = 1, pieceCount = 1280): SwarmPlan {
  const random = seededRandom(seed)
  const all = Array.from({ length: pieceCount }, (_, index) => ({ index, order: random() }))
  const kept = all
    .toSorted((one, other) => one.order - other.order)
    .slice(Math.ceil(pieceCount / 10))
    .map(({ index }) => index)
  const plan = flashCrowd(downloaders, seed, pieceCount)
  const members = plan.members.map((member, at) =>
    member.isSeeder === true || at % oneIn !== 0 ? member : { ...member, has: kept },
  )
  return { ...plan, members }
}

/** The same crowd, of which the downloaders send 1 to 8 MiB/s. */
export function mixedRates(plan: SwarmPlan): SwarmPlan {
  const random = seededRandom(plan.seed)
  const members = plan.members.map((member) =>
    member.isSeeder === true ? member : { ...member, bytesPerSecond: MiB * 8 ** random() },
  )
  return { ...plan, members }
}

/** Three regions, in parts of the longest way between two members: the third is farther from both others. */
const regions: readonly Place[] = [
  { x: 0, y: 0 },
  { x: 0.5, y: 0 },
  { x: 0.2, y: 0.75 },
]
/** Of a region, likewise. */
const regionRadius = 0.09

/**
 * The same crowd in three regions of the world. A word and its answer take between a thirtieth of `roundTripMs` and all
 * of it, by where the two are: with 150, 5 to 150 ms.
 */
export function scattered(plan: SwarmPlan, roundTripMs: number): SwarmPlan {
  const random = seededRandom(plan.seed + 1000)
  const members = plan.members.map((member, index) => {
    const { x = 0, y = 0 } = regions[index % regions.length] ?? {}
    const [angle, radius] = [2 * Math.PI * random(), regionRadius * Math.sqrt(random())]
    const place = {
      x: (roundTripMs / 2) * (x + radius * Math.cos(angle)),
      y: (roundTripMs / 2) * (y + radius * Math.sin(angle)),
    }
    return { ...member, place, latencyMs: roundTripMs / 120 }
  })
  return { ...plan, members }
}
