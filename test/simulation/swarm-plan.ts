// What a simulated swarm is made of, and what came of it.

import { pieceBytes } from '../../src/common/limits.ts'

export interface MemberPlan {
  /** Upload bandwidth. Downloads are not limited. */
  readonly bytesPerSecond: number
  readonly isSeeder?: boolean
  /** From this end to the middle of the network, one way. */
  readonly latencyMs?: number
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

/** The time that no swarm can beat: one seeder's bandwidth, or that of all together. In milliseconds. */
export function boundMs(plan: SwarmPlan): number {
  const sizeBytes = plan.pieceCount * pieceBytes
  const seeders = plan.members.filter((member) => member.isSeeder === true)
  const sum = (members: readonly MemberPlan[]): number =>
    members.reduce((rate, member) => rate + member.bytesPerSecond, 0)
  const downloaders = plan.members.length - seeders.length
  return 1000 * Math.max(sizeBytes / sum(seeders), (downloaders * sizeBytes) / sum(plan.members))
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
