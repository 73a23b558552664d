// How the picker does in whole swarms. A failure names the seed; the same seed is the same swarm.

import { expect, test } from 'vitest'
import { pieceBytes } from '../../src/common/limits.ts'
import { seededRandom } from './seeded-random.ts'
import {
  boundMs,
  simulateSwarm,
  type MemberPlan,
  type SwarmPlan,
  type SwarmResult,
} from './swarm-simulation.ts'

const MiB = 1024 * 1024
const seeds = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]

function flashCrowd(downloaders: number, seed: number): SwarmPlan {
  const rate = { bytesPerSecond: 4 * MiB }
  return {
    pieceCount: 128,
    members: [{ ...rate, isSeeder: true }, ...Array.from({ length: downloaders }, () => rate)],
    seed,
  }
}

/** The time of the last to finish, as a multiple of the time that no swarm can beat. */
function ratioOf(plan: SwarmPlan, result: SwarmResult): number {
  const [seeder, ...others] = plan.members.map((member) => member.bytesPerSecond)
  return result.lastFinishedMs / boundMs(plan.pieceCount, seeder ?? 0, others)
}

function wasteOf(result: SwarmResult): number {
  return result.wastedPieces / (result.deliveredPieces - result.wastedPieces)
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length
}

test('the same seed is the same swarm', () => {
  expect(simulateSwarm(flashCrowd(8, 3))).toEqual(simulateSwarm(flashCrowd(8, 3)))
  expect(simulateSwarm(flashCrowd(8, 3))).not.toEqual(simulateSwarm(flashCrowd(8, 4)))
})

test('one downloader gets a file at the speed of its seeder, and nothing twice', () => {
  const plan = flashCrowd(1, 1)
  const result = simulateSwarm(plan)
  expect(ratioOf(plan, result)).toBeLessThan(1.01)
  expect(result).toMatchObject({ deliveredPieces: 128, wastedPieces: 0 })
})

test('four seeders give a file in a quarter of the time', () => {
  const seeder = { bytesPerSecond: 4 * MiB, isSeeder: true }
  const members = [seeder, seeder, seeder, seeder, { bytesPerSecond: 4 * MiB }]
  const result = simulateSwarm({ pieceCount: 128, members, seed: 1 })
  expect(result.lastFinishedMs).toBeLessThan(1.05 * 4000)
  expect(wasteOf(result)).toBeLessThan(0.02)
})

// Today, over ten seeds: with 8 downloaders 1.20 × the bound (1.17 to 1.24), with 16 it is 1.36 (1.30 to
// 1.41); 4 to 8 % of the pieces are duplicates of the end game. The aim is 1.10, 1.16 and 3 %: whoever
// gets there lowers these numbers.
test.each([
  { downloaders: 8, meanMax: 1.25, worstMax: 1.32 },
  { downloaders: 16, meanMax: 1.42, worstMax: 1.5 },
])('a flash crowd of $downloaders ends within $meanMax times the bound', (expected) => {
  const plans = seeds.map((seed) => flashCrowd(expected.downloaders, seed))
  const results = plans.map(simulateSwarm)
  const ratios = plans.map((plan, index) => ratioOf(plan, results[index]!))
  const said = `ratios of seeds ${seeds.join(' ')}: ${ratios.map((ratio) => ratio.toFixed(2)).join(' ')}`
  expect(mean(ratios), `mean of ${said}`).toBeLessThan(expected.meanMax)
  expect(Math.max(...ratios), `worst of ${said}`).toBeLessThan(expected.worstMax)
  expect(mean(results.map(wasteOf)), 'duplicates').toBeLessThan(0.08)
  expect(Math.max(...results.map(wasteOf)), 'duplicates').toBeLessThan(0.12)
})

test('a peer a hundred times slower does not hold up a fast one', () => {
  const members = [
    { bytesPerSecond: 8 * MiB, isSeeder: true },
    { bytesPerSecond: 0.08 * MiB, isSeeder: true },
    { bytesPerSecond: 4 * MiB },
  ]
  for (const seed of seeds) {
    const result = simulateSwarm({ pieceCount: 128, members, seed })
    expect(8000 / result.lastFinishedMs, `seed ${seed}`).toBeGreaterThan(0.98)
    expect(wasteOf(result), `seed ${seed}`).toBeLessThan(0.03)
  }
})

/** Ten downloaders of which some die, hang or come back, and two seeders of which one does. */
function troubled(seed: number): SwarmPlan {
  const random = seededRandom(seed)
  const members: MemberPlan[] = [{ bytesPerSecond: 4 * MiB, isSeeder: true }]
  members.push({ bytesPerSecond: 4 * MiB, isSeeder: true, [random() < 0.5 ? 'diesAtMs' : 'hangsAtMs']: 3000 })
  for (let each = 0; each < 10; each++) {
    const bytesPerSecond = (0.5 + random() * 8) * MiB
    const atMs = random() * 12_000
    const fate = Math.floor(random() * 5)
    if (fate === 0) members.push({ bytesPerSecond, diesAtMs: atMs })
    else if (fate === 1) members.push({ bytesPerSecond, hangsAtMs: atMs })
    else if (fate === 2) members.push({ bytesPerSecond, diesAtMs: atMs, returnsAtMs: atMs + random() * 8000 })
    else members.push({ bytesPerSecond })
  }
  return { pieceCount: 96, members, seed, latencyMs: 1 + random() * 60 }
}

test('whoever stays gets everything, whoever else dies, hangs or comes back', () => {
  for (let seed = 1; seed <= 60; seed++) {
    const plan = troubled(seed)
    const result = simulateSwarm(plan)
    for (const [index, member] of plan.members.entries()) {
      const stays =
        member.hangsAtMs === undefined && (member.diesAtMs === undefined || member.returnsAtMs !== undefined)
      if (stays) expect(result.finishedAtMs[index], `seed ${seed}, member ${index}`).toBeDefined()
    }
    // Today at most 14 %: pieces of peers that went away are asked for elsewhere as well.
    expect(wasteOf(result), `seed ${seed}`).toBeLessThan(0.2)
  }
})

test.each([
  ['dies', { diesAtMs: 4000 }],
  ['hangs', { hangsAtMs: 4000 }],
])('a seeder of two that %s in the middle costs its bandwidth and a few seconds', (_, fate) => {
  const bytesPerSecond = 4 * MiB
  const members = [
    { bytesPerSecond, isSeeder: true },
    { bytesPerSecond, isSeeder: true, ...fate },
    { bytesPerSecond },
  ]
  for (const seed of seeds) {
    const result = simulateSwarm({ pieceCount: 128, members, seed })
    // Four seconds at full speed for 64 pieces, then 64 pieces at half of it.
    const idealMs = 4000 + (64 * pieceBytes * 1000) / bytesPerSecond
    expect(result.lastFinishedMs / idealMs, `seed ${seed}`).toBeLessThan(1.1)
    expect(wasteOf(result), `seed ${seed}`).toBeLessThan(0.03)
  }
})
