// npm run model [-- --runs <n>] [--seed <n>] [--plant]
// Plays 10,000 random stories of 50 commands each at a tracker's core that is restarted from its log in between, and at
// the plain model of the rules; exits with 1 when they differ. Each run has a seed of its own: --runs 1 --seed <n>
// repeats one. --plant puts a log in between that loses something at each restart: it has to be found.

import { parseArgs } from 'node:util'
import { inMs, report } from './figures.ts'
import { playRuns } from './model/model-runs.ts'

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '10000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    plant: { type: 'boolean', default: false },
  },
})
const [runs, seed] = [Number(values.runs), Number(values.seed)]
/** Each is a long line. */
const shown = 10

console.log(`seeds ${seed} to ${seed + runs - 1}`)
const startedMs = performance.now()
const figures = await playRuns(seed, runs, values.plant)
const tookMs = performance.now() - startedMs
const inWords = (count: number): string => count.toLocaleString('en')
report('a tracker that is restarted in between, and the plain model', [
  ['runs', inWords(figures.runs)],
  ['with the log in a SQLite file', inWords(figures.inFiles)],
  ['by the rules of version 0.1', inWords(figures.atLevel1)],
  ['commands', inWords(figures.commands)],
  ['commands that were not refused', inWords(figures.done)],
  ['commands repeated after a restart', inWords(figures.repeated)],
  ['restarts', inWords(figures.restarts)],
  ['starts from a snapshot', inWords(figures.fromSnapshot)],
  ['divergences', inWords(figures.divergences.length)],
  ['time', inMs(tookMs)],
])
for (const divergence of figures.divergences.slice(0, shown)) console.log(`  ! ${divergence.slice(0, 2000)}`)
process.exitCode = figures.divergences.length > 0 ? 1 : 0
