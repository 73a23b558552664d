// npm run campaign [-- --part <share>] [--seed <n>]
// Runs the campaigns that are listed below in turn, each with its usual number of kills, rounds or runs, or with this
// share of them (0.1 for a tenth, but at least one). Ends with a summary, and exits with 1 when one of them found anything
// wrong. Those that lack what they need (nats-server, root) say so and count as skipped. fuzz:codec, fuzz:wire and attack
// are run by themselves.

import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { resultOf, runInTurn, summaryOf, type Campaign } from './in-turn.ts'

/** The unit of each campaign, and how many a full run has. */
const counts = {
  model: ['runs', 10_000],
  'crash-download': ['kills', 100],
  'crash-tracker': ['kills', 330],
  'crash-cluster': ['rounds', 50],
  'crash-partition': ['rounds', 10],
} as const

const { values } = parseArgs({
  options: {
    part: { type: 'string', default: '1' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
})
const part = Number(values.part)
const folder = fileURLToPath(new URL('.', import.meta.url))

if (part > 0) await campaigns()
else {
  console.error(`error: --part is a share of all kills, rounds and runs, above 0, not "${values.part}"`)
  process.exitCode = 2
}

async function campaigns(): Promise<void> {
  const all = Object.entries(counts).map(([script, [unit, count]]): Campaign => {
    const words = [`--${unit}`, String(Math.ceil(part * count)), '--seed', values.seed]
    return { name: script.replace('-', ':'), file: join(folder, `${script}.ts`), words }
  })
  const outcomes = await runInTurn(all, ({ name, words }) => console.log(`\n=== ${name} ${words.join(' ')}`))
  console.log(`\n=== campaigns, seed ${values.seed}`)
  for (const line of summaryOf(outcomes)) console.log(line)
  if (outcomes.map(resultOf).includes('failed')) process.exitCode = 1
}
