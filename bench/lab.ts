// npm run lab -- [pairs] [--only <member,…>] [--mib <size>] [--seconds <limit>] [--first <limit>] [--tracker='<words>'] [--record]
//                        [--rtt <ms>] [--loss <percent>] [--mbit <rate>]
// npm run lab -- kill
// npm run lab -- relay [--rate <MiB/s,…>]
// npm run lab -- line|far [--rtt <ms,…>] [--loss <percent,…>] [--mbit <rate>] [--control <name,…>] [--mib <size>] [--seconds <limit>]
//                             [--rounds <times>]
//
// A small internet in network namespaces (Linux, root). `pairs`: homes and offices behind routers that translate addresses,
// where each member fetches a file from each other one. `kill`: whoever forwards, or the tracker, is killed in the middle of a
// download. `relay`: how well the rate of a relay holds. `far`: two clients with a long line between them, beside plain TCP
// connections; `line`: these connections alone. Exits with 1 when a pair could not.

import { parseArgs } from 'node:util'
import { runFar } from './lab/far.ts'
import { whyNoLab } from './lab/needs.ts'
import { runKills } from './lab/kills.ts'
import { runPairs } from './lab/pairs.ts'
import { runRates } from './lab/rates.ts'

const usage = `usage: npm run lab -- [pairs] [--only home1,office] [--mib 64] [--seconds 120] [--first 20] [--tracker='--relay 20M'] [--record]
                              [--rtt 20] [--loss 0.1] [--mbit 1000]
       npm run lab -- kill
       npm run lab -- relay [--rate 2,10,20]
       npm run lab -- line|far [--rtt 50,100] [--loss 0.01,0.1,1] [--mbit 1000] [--control cubic,bbr] [--mib 256] [--seconds 20]
                              [--rounds 1]`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: 'string', default: '' },
    mib: { type: 'string' },
    seconds: { type: 'string' },
    first: { type: 'string', default: '20' },
    tracker: { type: 'string', default: '--relay 100M' },
    record: { type: 'boolean', default: false },
    rtt: { type: 'string' },
    loss: { type: 'string' },
    mbit: { type: 'string', default: '1000' },
    control: { type: 'string', default: 'cubic,bbr' },
    rate: { type: 'string', default: '2,10,20' },
    seed: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '1' },
  },
})

const [what = 'pairs'] = positionals
const listed = (text: string): string[] => text.split(/[ ,]+/).filter((word) => word !== '')
const numbers = (text: string): number[] => listed(text).map(Number)

async function runLab(): Promise<boolean> {
  if (what === 'kill') return runKills()
  if (what === 'relay') return runRates(numbers(values.rate))
  if (what === 'pairs')
    return runPairs({
      only: listed(values.only),
      sizeMiB: Number(values.mib ?? 64),
      patience: { firstSeconds: Number(values.first), seconds: Number(values.seconds ?? 120) },
      trackerWords: listed(values.tracker),
      records: values.record,
      conditions:
        values.rtt === undefined
          ? undefined
          : {
              roundTripMs: Number(values.rtt),
              loss: Number(values.loss ?? 0) / 100,
              rateMbit: Number(values.mbit),
            },
    })
  await runFar({
    roundTripsMs: numbers(values.rtt ?? '50,100'),
    losses: numbers(values.loss ?? (what === 'line' ? '0,0.01,0.1,1' : '0.01,0.1,1')).map(
      (each) => each / 100,
    ),
    rateMbit: Number(values.mbit),
    controls: listed(values.control),
    sizeMiB: Number(values.mib ?? 256),
    seconds: Number(values.seconds ?? 20),
    rounds: Number(values.rounds),
    withClients: what === 'far',
    seed: Number(values.seed),
  })
  return true
}

// What is removed at the end is removed by those who made it, when the process exits.
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const)
  process.once(signal, () => process.exit(code))

const why = whyNoLab()
if (!['pairs', 'kill', 'relay', 'line', 'far'].includes(what)) {
  console.error(usage)
  process.exitCode = 2
} else if (why !== undefined) {
  console.log(`the lab is skipped: ${why}`)
} else {
  try {
    process.exitCode = (await runLab()) ? 0 : 1
  } catch (error) {
    console.error(`error: ${(error as Error).message}`)
    process.exitCode = 1
  }
}
