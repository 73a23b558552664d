// npm run sim [-- --up-to <downloaders>] [-- --svg <file>]
// How long a flash crowd takes in the simulator, from 2 downloaders to 10,000, as a multiple of the time
// that no swarm can beat. Prints a table and writes a chart. 10,000 take some minutes and 2 GiB.

import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { flashCrowd, ratioOf, wasteOf, type SwarmPlan } from '../test/simulation/swarm-plan.ts'
import { simulateSwarm } from '../test/simulation/swarm-simulation.ts'
import { seededRandom } from '../test/simulation/seeded-random.ts'
import { chart, type Series } from './sim-chart.ts'

const { values } = parseArgs({ options: { 'up-to': { type: 'string' }, svg: { type: 'string' } } })
const upTo = Number(values['up-to'] ?? 10_000)
const sizes = [2, 4, 8, 16, 32, 64, 128, 256, 512, 1000, 2000, 5000, 10_000].filter((size) => size <= upTo)
const MiB = 1024 * 1024

/** Between 1 and 8 MiB a second each, and between 0.5 and 10 ms from the middle of the network. */
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

/** Every tenth dies within the first 16 seconds, and half of those come back. */
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

const kinds: { name: string; makePlan: typeof mixedCrowd; max: number }[] = [
  { name: 'all 4 MiB/s', makePlan: (downloaders, seed) => flashCrowd(downloaders, seed), max: Infinity },
  { name: '1 to 8 MiB/s', makePlan: mixedCrowd, max: 1000 },
  { name: 'one in ten dies', makePlan: dyingCrowd, max: 1000 },
]

const lines: Series[] = []
console.log('swarm            downloaders  x bound  twice  lines a piece  computed in')
for (const { name, makePlan, max } of kinds) {
  const points: { downloaders: number; ratio: number }[] = []
  for (const downloaders of sizes.filter((size) => size <= max)) {
    const plan = makePlan(downloaders, 1)
    const startedAtMs = performance.now()
    const result = simulateSwarm(plan)
    const ratio = ratioOf(plan, result)
    points.push({ downloaders, ratio })
    console.log(
      [
        name.padEnd(16),
        String(downloaders).padStart(11),
        ratio.toFixed(3).padStart(8),
        `${(100 * wasteOf(result)).toFixed(1)} %`.padStart(6),
        (result.messages / result.deliveredPieces).toFixed(0).padStart(14),
        `${((performance.now() - startedAtMs) / 1000).toFixed(2)} s`.padStart(12),
      ].join(' '),
    )
  }
  lines.push({ name, points })
}
if (values.svg !== undefined) writeFileSync(values.svg, chart(lines))
