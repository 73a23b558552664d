// npm run crash:cluster [-- --rounds <n>] [--seed <n>] [--clients <n>]
// Three real nats-servers and two real trackers; kill -9 of the server that leads the log, another one, or
// a tracker, in random order, under clients that issue commands of all kinds. After each round all trackers
// must have the same state. Exits with 1 when anything was lost, applied twice or half, or they disagree.

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

const title = '2 trackers, 3 servers of NATS'

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
    ['agreement after, longest', inMs(Math.max(0, ...figures.agreedAfterMs))],
  ]
  report(title, rows, figures)
  if (!isClean(figures)) process.exitCode = 1
}
