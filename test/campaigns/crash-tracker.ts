// npm run crash:tracker [-- --kills <n>] [--seed <n>] [--trackers <1|2>] [--clients <n>]
// Kills the real tracker program with kill -9 at random moments under clients that issue commands of all
// kinds, and holds what is there afterwards against what was acknowledged. Exits with 1 when anything was
// lost, applied twice or half applied.

import { parseArgs } from 'node:util'
import { isClean, report, rowsOf } from './figures.ts'
import { killAtRandom } from './tracker-rounds.ts'

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '150' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    trackers: { type: 'string' },
    clients: { type: 'string', default: '64' },
  },
})
const seed = Number(values.seed)
const [kills, clients] = [Number(values.kills), Number(values.clients)]

console.log(`seed ${seed}`)
for (const trackers of values.trackers === undefined ? [1, 2] : [Number(values.trackers)]) {
  const figures = await killAtRandom({ trackers, kills, clients, seed })
  report(`${trackers} tracker(s), killed in turn`, rowsOf(figures), figures)
  if (!isClean(figures)) process.exitCode = 1
}
