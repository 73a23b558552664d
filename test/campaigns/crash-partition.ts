// npm run crash:partition [-- --rounds <n>] [--seed <n>] [--clients <n>]
// Cuts one of two trackers off from three nats-servers and heals the network, again and again, while clients issue
// commands. While cut off it must answer reads and refuse writes with a sentence; after healing it must catch up. Exits
// with 1 when it does not, or when anything was lost, applied twice or half. Needs root, `ip netns` and nats-server,
// and says so without them.

import { parseArgs } from 'node:util'
import { natsIsMissing } from '../tracker/support/nats-server.ts'
import { inMs, isClean, report, rowsOf, skip } from './figures.ts'
import { PartitionNetwork } from './partition-network.ts'
import { cutAndHeal } from './partition-rounds.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '10' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    clients: { type: 'string', default: '32' },
  },
})

const title = '1 of 2 trackers cut off from 3 NATS servers'
const opened = natsIsMissing === '' ? PartitionNetwork.open() : { why: 'nats-server is not installed' }
process.once('SIGINT', () => process.exit(1))
process.once('SIGTERM', () => process.exit(1))
if ('why' in opened) skip(title, opened.why)
else await campaign(opened.network)

async function campaign(network: PartitionNetwork): Promise<void> {
  const [rounds, seed, clients] = [Number(values.rounds), Number(values.seed), Number(values.clients)]
  console.log(`seed ${seed}`)
  try {
    const figures = await cutAndHeal({ network, rounds, seed, clients, onRound: (line) => console.log(line) })
    const rows: [string, string][] = [
      ...rowsOf(figures).filter(([what]) => !/kill|restart/.test(what)),
      ['rounds of cutting and healing', String(rounds)],
      ['slowest read while cut off', inMs(figures.slowestReadMs)],
      ['slowest refusal while cut off', inMs(figures.slowestRefusalMs)],
      ['longest catch-up after healing', inMs(Math.max(0, ...figures.caughtUpAfterMs))],
    ]
    report(title, rows, figures)
    for (const sentence of figures.refusals) console.log(`  writes were refused with "${sentence}"`)
    if (!isClean(figures)) process.exitCode = 1
  } finally {
    network.close()
  }
}
