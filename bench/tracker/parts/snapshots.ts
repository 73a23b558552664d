// Measures how long snapshots block the tracker: with a million commands in the log and a steady stream of changes, a
// ping every 5 ms sees each pause from outside. Then compares a start from the snapshot with a replay of the whole log.

import { Generator } from '../generator.ts'
import type { SteadyOrder, SteadyReport } from '../generators/steady.ts'
import { inMs, mentionMachine, say, thousands, verdict } from '../report.ts'
import { ServerProcess, Usage } from '../server-process.ts'
import { ownerOfCommunity } from '../states.ts'
import { commandsOfLongLog, withLongLog } from '../workplace.ts'

const changesPerSecond = 4_000
const streamMs = 45_000
const warmUpMs = 3_000
const pingEveryMs = 5
const stallMsMax = 50
const changers = Array.from({ length: 50 }, (_, index) => ownerOfCommunity(index))
const pinger = ownerOfCommunity(changers.length)
/** Fewer would say nothing about stalls. */
const snapshotsMin = 2

export async function benchSnapshots(): Promise<void> {
  const words = ['--data-dir', await withLongLog('snapshots'), '--log-level', 'info']
  let snapshots = 0
  const tracker = await ServerProcess.tracker(words, (line) => {
    if (/snapshot/i.test(line)) snapshots++
    if (/"level":[456]0/.test(line)) console.error(line)
  })
  const pings = new Generator<SteadyOrder, SteadyReport>('steady')
  const stream = new Generator<SteadyOrder, SteadyReport>('steady')
  const bare = await ServerProcess.start('bare-server.mjs')
  const ports = { port: tracker.port, barePort: bare.port }
  const order = { ...ports, users: [pinger], ms: streamMs, pingEveryMs, changesPerSecond: 0 }
  const changing = { ...order, users: changers, pingEveryMs: 0, changesPerSecond }
  // Lets the code be compiled, and work left over from the start be finished, before measuring.
  await Promise.all([pings.run({ ...order, ms: warmUpMs }), stream.run({ ...changing, ms: warmUpMs })])
  const [before, usage] = [snapshots, new Usage(tracker)]
  const [seen, changed] = await Promise.all([pings.run(order), stream.run(changing)])
  const used = usage.sentence
  await pings.end()
  await stream.end()
  const rate = `${thousands(changed.changes.count)} changes in ${streamMs / 1000} s`
  say('snapshots: round trips (ms)', 'p50', 'p99', 'max', 'lost')
  for (const [what, { p50Ms, p99Ms, maxMs, lost }] of [
    [`a ping every ${pingEveryMs} ms`, seen.pings],
    [rate, changed.changes],
    ['the same ping to a bare server', seen.barePings],
  ] as const)
    say(what, inMs(p50Ms), inMs(p99Ms), inMs(maxMs), lost)
  console.log(`  tracker ${used}`)
  const taken = snapshots - before
  verdict('snapshots taken meanwhile', String(taken), String(snapshotsMin), taken >= snapshotsMin)
  const { maxMs } = seen.pings
  verdict('the longest stall that a ping saw', `${inMs(maxMs)} ms`, `${stallMsMax} ms`, maxMs < stallMsMax)
  mentionMachine(seen.barePings.maxMs, stallMsMax)
  await tracker.stop()
  await bare.stop()
  const again = await ServerProcess.tracker(words.slice(0, 2))
  say(
    `start: ${thousands(commandsOfLongLog)} commands / last snapshot`,
    `${(tracker.startMs / 1000).toFixed(2)} s`,
    `${(again.startMs / 1000).toFixed(2)} s`,
  )
  await again.stop()
}
