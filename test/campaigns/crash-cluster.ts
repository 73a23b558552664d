// npm run crash:cluster [-- --rounds <n>] [--seed <n>] [--clients <n>]
// Kills the NATS server that leads the log, another one, or a tracker with kill -9, in random order, while clients
// issue commands of all kinds to two real trackers on three real nats-servers. After each round all trackers must have
// the same state. Exits with 1 when anything was lost, applied twice or half, or they disagree.

import { parseArgs } from 'node:util'
import { natsIsMissing } from '../tracker/support/nats-server.ts'
import { killInCluster } from './cluster-rounds.ts'
import { inMs, isClean, report, rowsOf, skip } from './figures.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '50' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    clients: { type: 'string', default: '64' },
  },
})
const [rounds, seed, clients] = [Number(values.rounds), Number(values.seed), Number(values.clients)]

const title = '2 trackers, 3 NATS servers'

if (natsIsMissing !== '') {
  skip(title, 'nats-server is not installed')
} else {
  console.log(`seed ${seed}`)
  const figures = await killInCluster({ rounds, seed, clients, onRound: (line) => console.log(line) })
  const { leader, follower, tracker } = figures.victims
  const rows: [string, string][] = [
    ['leader, follower, tracker killed', `${leader}, ${follower}, ${tracker}`],
    ...rowsOf(figures),
    ['rounds that ended in agreement', String(figures.agreedAfterMs.length)],
    ['longest time to agreement', inMs(Math.max(0, ...figures.agreedAfterMs))],
  ]
  report(title, rows, figures)
  if (!isClean(figures)) process.exitCode = 1
}
