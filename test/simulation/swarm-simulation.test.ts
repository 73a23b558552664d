// How the picker does in whole swarms. A failure names the seed; the same seed is the same swarm.

import { expect, test } from 'vitest'
import { pieceBytes } from '../../src/common/limits.ts'
import { seededRandom } from './seeded-random.ts'
import {
  boundMs,
  flashCrowd,
  mixedRates,
  ratioOf,
  scattered,
  versionCrowd,
  wasteOf,
  type MemberPlan,
  type SwarmPlan,
} from './swarm-plan.ts'
import { simulateSwarm } from './swarm-simulation.ts'

const MiB = 1024 * 1024
const seeds = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]

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

// Over ten seeds today: 1.03, 1.045, 1.07 and 1.10 times the bound; at most 1 % of the pieces come twice.
// The best that can be, where every piece goes from one to two to four, is 1 + log2(n + 1) / 128: 1.025,
// 1.03, 1.05 and 1.06.
test.each([
  { downloaders: 8, ratioMax: 1.06, repeats: 10 },
  { downloaders: 16, ratioMax: 1.08, repeats: 10 },
  { downloaders: 64, ratioMax: 1.1, repeats: 2 },
  // 256 and more: `npm run sim`.
  { downloaders: 128, ratioMax: 1.12, repeats: 1 },
])('a flash crowd of $downloaders ends within $ratioMax times the bound', (expected) => {
  for (const seed of seeds.slice(0, expected.repeats)) {
    const plan = flashCrowd(expected.downloaders, seed)
    const result = simulateSwarm(plan)
    expect(ratioOf(plan, result), `seed ${seed}`).toBeLessThan(expected.ratioMax)
    expect(wasteOf(result), `duplicates of seed ${seed}`).toBeLessThan(0.02)
  }
})

// A word and its answer take 5 to 150 ms. Today 1.05, 1.07 and 1.105 times the bound, with 4 to 6 % twice; before choices
// were told ahead 1.06, 1.10 and 1.19, with 10 to 13 % twice.
test.each([
  { downloaders: 8, repeats: 4 },
  { downloaders: 16, repeats: 2 },
  { downloaders: 64, repeats: 1 },
])('a crowd of $downloaders far apart ends within 1.15 times the bound', ({ downloaders, repeats }) => {
  for (const seed of seeds.slice(0, repeats)) {
    const plan = scattered(flashCrowd(downloaders, seed), 150)
    const result = simulateSwarm(plan)
    expect(ratioOf(plan, result), `seed ${seed}`).toBeLessThan(1.15)
    expect(wasteOf(result), `duplicates of seed ${seed}`).toBeLessThan(0.08)
  }
})

test('of a crowd far apart, those that send least have the file within 1.15 times the bound, as all others', () => {
  const plan = scattered(mixedRates(flashCrowd(40, 1)), 150)
  const result = simulateSwarm(plan)
  const inOrder = plan.members
    .map(({ bytesPerSecond }, index) => ({ bytesPerSecond, atMs: result.finishedAtMs[index] ?? Infinity }))
    .slice(1)
    .toSorted((one, other) => one.bytesPerSecond - other.bytesPerSecond)
  const lastOf = (members: typeof inOrder): number => Math.max(...members.map(({ atMs }) => atMs))
  const [slow, others] = [inOrder.slice(0, 4), inOrder.slice(4)]
  expect(lastOf(slow) / boundMs(plan)).toBeLessThan(1.15)
  expect(lastOf(slow) / lastOf(others)).toBeLessThan(1.02)
})

// Of 1,280 pieces 128 are new, as many as a flash crowd fetches: today 1.03, 1.05 and 1.06 times the bound where all
// have the old version. Where a half have nothing, those that have it give it to them, and the time is that of all
// together: 1.003.
test.each([
  { downloaders: 8, ratioMax: 1.06, halfMax: 1.02, repeats: 4 },
  { downloaders: 16, ratioMax: 1.08, halfMax: 1.02, repeats: 2 },
  { downloaders: 32, ratioMax: 1.1, halfMax: 1.02, repeats: 1 },
])(
  'a new version for $downloaders ends within $ratioMax times the bound, within $halfMax if a half have nothing',
  (expected) => {
    for (const seed of seeds.slice(0, expected.repeats)) {
      for (const [oneIn, max] of [
        [1, expected.ratioMax],
        [2, expected.halfMax],
      ] as const) {
        const plan = versionCrowd(expected.downloaders, seed, oneIn)
        const result = simulateSwarm(plan)
        expect(ratioOf(plan, result), `seed ${seed}`).toBeLessThan(max)
        expect(wasteOf(result), `duplicates of seed ${seed}`).toBeLessThan(0.02)
        // What is there is not fetched.
        expect(result.deliveredPieces - result.wastedPieces).toBe(missingIn(plan))
      }
    }
  },
)

function missingIn({ pieceCount, members }: SwarmPlan): number {
  const downloaders = members.filter(({ isSeeder }) => isSeeder !== true)
  return downloaders.reduce((sum, { has = [] }) => sum + pieceCount - has.length, 0)
}

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

// Requests that left it the choice once filled the queue at the peer that was left, and it was never asked.
test('what a peer leaves unfinished is got from one that may choose as much as its queue holds', () => {
  const members = [
    { bytesPerSecond: 32 * MiB, isSeeder: true },
    { bytesPerSecond: MiB, isSeeder: true, diesAtMs: 300 },
    { bytesPerSecond: MiB },
  ]
  const result = simulateSwarm({ pieceCount: 128, members, seed: 1 })
  expect(result.lastFinishedMs).toBeLessThan(2300)
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
  const latencyMs = 0.5 + random() * 30
  return { pieceCount: 96, members: members.map((member) => ({ ...member, latencyMs })), seed }
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
    // Today at most 23 %: pieces of peers that went away are asked for elsewhere as well, and where the
    // word takes 60 ms, two peers choose the same piece before the one hears of the other.
    expect(wasteOf(result), `seed ${seed}`).toBeLessThan(0.3)
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
