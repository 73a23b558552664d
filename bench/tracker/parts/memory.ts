// Measures the tracker's resident memory: per idle connection, and after a million commands.

import { LoadOn } from '../load-on.ts'
import { judgeResident, startOnLongLog } from '../long-log-start.ts'
import { mebibytes, say, verdict } from '../report.ts'
import { prepareTracker } from '../workplace.ts'
import { listGroups } from './queries.ts'

const idleConnections = 2_000

export async function benchMemory(): Promise<void> {
  const tracker = await prepareTracker(['--memory'])
  const load = new LoadOn(tracker)
  const order = { depth: 1, ms: 0, kind: 'query', request: listGroups } as const
  // Warms up with logins, whose leftovers would otherwise count as the cost of a connection.
  await load.run({ ...order, connections: 500, afresh: true })
  const before = tracker.residentBytes
  await load.run({ ...order, connections: 500 + idleConnections })
  const each = (tracker.residentBytes - before) / idleConnections / 1024
  say(
    `resident with 500, with ${500 + idleConnections} connections`,
    mebibytes(before),
    mebibytes(tracker.residentBytes),
  )
  verdict('an idle connection that is logged in', `${each.toFixed(1)} KiB`, '20 KiB', each < 20)
  await load.end()
  await tracker.stop()
  const { start } = await startOnLongLog()
  judgeResident(start)
}
