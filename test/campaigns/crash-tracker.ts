// npm run crash:tracker [-- --kills <n>] [--seed <n>] [--trackers <1|2|…>] [--clients <n>] [--variant <name>]
// Kills the real tracker program with kill -9, at random moments and at named ones, while clients issue commands of all
// kinds, and compares what is there afterwards with what was acknowledged. Exits with 1 when anything was lost, applied
// twice or half applied, as it must with a variant that is broken on purpose.

import { parseArgs } from 'node:util'
import { isClean, report, rowsOf, type Figures } from './figures.ts'
import { timeRestart } from './restart-time.ts'
import { killAtMoments, killAtRandom, killVariant } from './tracker-rounds.ts'
import { isVariant, variants } from './variants.ts'

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '330' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    trackers: { type: 'string' },
    clients: { type: 'string', default: '64' },
    variant: { type: 'string' },
  },
})
const [seed, kills, clients] = [Number(values.seed), Number(values.kills), Number(values.clients)]
const counts = values.trackers === undefined ? [1, 2] : [Number(values.trackers)]

console.log(`seed ${seed}`)
if (values.variant === undefined) await campaign()
else await variant(values.variant)

async function campaign(): Promise<void> {
  // For each number of trackers, two thirds of the kills are at random moments and one third at named ones.
  const part = Math.ceil(kills / counts.length / 3)
  for (const trackers of counts) {
    const name = trackers === 1 ? '1 tracker' : `${trackers} trackers on one file`
    conclude(
      `${name}, killed at random moments`,
      await killAtRandom({ trackers, kills: 2 * part, clients, seed }),
    )
    conclude(
      `${name}, killed at named moments`,
      await killAtMoments({ trackers, kills: part, clients, seed }),
    )
  }
  const { rows, isFast } = await timeRestart(seed)
  report('restart to serving with 100,000 commands in the log', rows)
  if (!isFast) process.exitCode = 1
}

async function variant(name: string): Promise<void> {
  if (!isVariant(name)) {
    console.error(`error: there is no variant "${name}"; there are ${Object.keys(variants).join(', ')}`)
    process.exitCode = 2
    return
  }
  conclude(`variant ${name}`, await killVariant(name, { kills, clients, seed }))
}

function conclude(title: string, figures: Figures): void {
  report(title, rowsOf(figures), figures)
  if (!isClean(figures)) process.exitCode = 1
}
