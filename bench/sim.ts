// npm run sim [-- --from <downloaders> --up-to <downloaders> --only <swarm>]
// Simulates flash crowds of 2 to 10,000 downloaders, and new versions for up to 64, and prints the time each takes, as a
// multiple of the shortest possible. Merges the rows into docs/flash-crowd.csv and redraws docs/flash-crowd.svg. 10,000
// downloaders take a quarter of an hour and 7 GiB of memory.

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { seededRandom } from '../test/simulation/seeded-random.ts'
import {
  flashCrowd,
  mixedRates,
  ratioOf,
  scattered,
  versionCrowd,
  wasteOf,
  type SwarmPlan,
} from '../test/simulation/swarm-plan.ts'
import { simulateSwarm } from '../test/simulation/swarm-simulation.ts'
import { chart, type Series } from './sim-chart.ts'

const { values } = parseArgs({
  options: { from: { type: 'string' }, 'up-to': { type: 'string' }, only: { type: 'string' } },
})
const from = Number(values.from ?? 2)
const upTo = Number(values['up-to'] ?? 10_000)
const sizes = [2, 4, 8, 16, 32, 64, 128, 256, 500, 1000, 2000, 5000, 10_000]
const csvFile = fileURLToPath(new URL('../docs/flash-crowd.csv', import.meta.url))
const svgFile = fileURLToPath(new URL('../docs/flash-crowd.svg', import.meta.url))
const header = 'swarm,downloaders,times the bound,pieces twice in %,lines a piece'
const MiB = 1024 * 1024

/** Peers with 1 to 8 MiB/s, 0.5 to 10 ms from the middle of the network. */
function mixedCrowd(downloaders: number, seed: number): SwarmPlan {
  const random = seededRandom(seed)
  const plan = flashCrowd(downloaders, seed)
  const members = plan.members.map((member) =>
    member.isSeeder === true
      ? member
      : { bytesPerSecond: MiB * 8 ** random(), latencyMs: Math.ceil(20 * random()) / 2 },
  )
  return { ...plan, members }
}

/** In three regions of the world: a word and its answer take 5 to 150 ms. */
function farCrowd(downloaders: number, seed: number): SwarmPlan {
  return scattered(flashCrowd(downloaders, seed), 150)
}

/** Likewise, with 1 to 8 MiB/s. */
function farMixedCrowd(downloaders: number, seed: number): SwarmPlan {
  return scattered(mixedRates(flashCrowd(downloaders, seed)), 150)
}

/** A word takes up to 150 ms one way. */
function fartherCrowd(downloaders: number, seed: number): SwarmPlan {
  return scattered(flashCrowd(downloaders, seed), 300)
}

/** One in ten dies within the first 16 seconds, and half of those come back a second later. */
function dyingCrowd(downloaders: number, seed: number): SwarmPlan {
  const random = seededRandom(seed)
  const plan = flashCrowd(downloaders, seed)
  const members = plan.members.map((member) => {
    if (member.isSeeder === true || random() > 0.1) return member
    const diesAtMs = 16_000 * random()
    return random() < 0.5 ? { ...member, diesAtMs } : { ...member, diesAtMs, returnsAtMs: diesAtMs + 1000 }
  })
  return { ...plan, members }
}

/** All have the version before, of which nine in ten pieces are the same. */
function versionForAll(downloaders: number, seed: number): SwarmPlan {
  return versionCrowd(downloaders, seed)
}

/** Every other one has it, the others have nothing. */
function versionForHalf(downloaders: number, seed: number): SwarmPlan {
  return versionCrowd(downloaders, seed, 2)
}

const kinds = [
  { name: 'all 4 MiB/s', makePlan: flashCrowd, max: 10_000 },
  { name: '1 to 8 MiB/s', makePlan: mixedCrowd, max: 256 },
  { name: 'one in ten dies', makePlan: dyingCrowd, max: 256 },
  { name: 'far apart', makePlan: farCrowd, max: 256 },
  { name: 'far and 1 to 8 MiB/s', makePlan: farMixedCrowd, max: 256 },
  { name: 'twice as far', makePlan: fartherCrowd, max: 256 },
  { name: 'next version', makePlan: versionForAll, max: 64 },
  { name: 'a half have the old', makePlan: versionForHalf, max: 64 },
]

/** Rows by swarm and size, including those of earlier runs until they are recomputed. */
const rows = new Map<string, string>()
for (const line of existsSync(csvFile) ? readFileSync(csvFile, 'utf8').trim().split('\n').slice(1) : []) {
  rows.set(line.split(',').slice(0, 2).join(','), line)
}

console.log('swarm                downloaders  x bound  twice  lines a piece  computed in')
for (const { name, makePlan, max } of kinds) {
  if (values.only !== undefined && values.only !== name) continue
  for (const downloaders of sizes.filter((size) => size >= from && size <= Math.min(upTo, max))) {
    const plan = makePlan(downloaders, 1)
    const startedAtMs = performance.now()
    const result = simulateSwarm(plan)
    const ratio = ratioOf(plan, result).toFixed(3)
    const twice = (100 * wasteOf(result)).toFixed(1)
    const linesEach = (result.messages / result.deliveredPieces).toFixed(0)
    const seconds = `${((performance.now() - startedAtMs) / 1000).toFixed(2)} s`
    rows.set(`${name},${downloaders}`, [name, downloaders, ratio, twice, linesEach].join(','))
    keep()
    console.log(
      `${name.padEnd(20)} ${String(downloaders).padStart(11)} ${ratio.padStart(8)} ${twice.padStart(4)} % ` +
        `${linesEach.padStart(14)} ${seconds.padStart(12)}`,
    )
  }
}

/** Saves the results. Called after each row, so that an interrupted run loses nothing. */
function keep(): void {
  const inOrder = kinds.flatMap(({ name }) => sizes.map((size) => rows.get(`${name},${size}`) ?? ''))
  writeFileSync(csvFile, [header, ...inOrder.filter((row) => row !== ''), ''].join('\n'))
  writeFileSync(svgFile, chart(kinds.map(({ name }) => seriesOf(name))))
}

function seriesOf(name: string): Series {
  const points = sizes.flatMap((downloaders) => {
    const row = rows.get(`${name},${downloaders}`)
    return row === undefined ? [] : [{ downloaders, ratio: Number(row.split(',')[2]) }]
  })
  return { name, points }
}
