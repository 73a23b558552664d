// npm run load [-- --clients <count>] [--active <seconds>] [--soak <minutes>] [--seed <number>]   (Linux)
// Logs 10,000 clients in at one tracker, over TLS, and judges what it costs: its memory while all are active (twice a
// minute unless told otherwise), how long their queries take, and how soon all are back after it was killed. With
// --soak, clients, groups and files come and go for so long, and the tracker must stay as large as it is. The clients
// are in processes of their own, each client with an address of its own on loopback. TRACKER_MAIN: see tracker.ts.
// Exits with 1 when a bound is missed.

import { parseArgs } from 'node:util'
import { Crew } from './load/crew.ts'
import { actAll, logAllIn, restart, soak, startTracker } from './load/phases.ts'
import { problemWithOpenFiles } from './tracker/open-files.ts'
import { isAllReached } from './tracker/report.ts'
import { trackerMain } from './tracker/server-process.ts'
import { cleanUp, cleanUpOnSignals } from './tracker/workplace.ts'

const { values } = parseArgs({
  options: {
    clients: { type: 'string' },
    active: { type: 'string' },
    soak: { type: 'string' },
    seed: { type: 'string' },
  },
})
const clients = Number(values.clients ?? 10_000)
const seconds = Number(values.active ?? 60)
const soakMinutes = Number(values.soak ?? 0)
const seed = Number(values.seed ?? Math.floor(Math.random() * 1_000_000))
if (!(
  Number.isSafeInteger(clients) &&
  clients > 0 &&
  seconds > 0 &&
  soakMinutes >= 0 &&
  Number.isSafeInteger(seed)
)) {
  console.error('--clients and --seed are whole numbers, --active is in seconds, --soak in minutes')
  process.exit(2)
}
const problem = problemWithOpenFiles(clients)
if (problem !== undefined) {
  console.error(`this needs ${problem}`)
  process.exit(2)
}
cleanUpOnSignals()
try {
  console.log(`measuring ${trackerMain}, seed ${seed}`)
  const crew = new Crew(clients)
  let tracker = await startTracker(clients)
  await logAllIn(tracker, crew, clients, seed)
  await actAll(tracker, crew, { clients, seconds })
  tracker = await restart(tracker, crew, clients)
  await actAll(tracker, crew, { clients, seconds })
  if (soakMinutes > 0) await soak(tracker, crew, soakMinutes)
  // Killed first, so that it does not notify everybody that everybody leaves.
  await tracker.kill()
  await crew.end()
  process.exitCode = isAllReached() ? 0 : 1
} finally {
  cleanUp()
}
