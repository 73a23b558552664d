// Measures durable commands per second, compared with bare SQLite commits on the same file system.

import { join } from 'node:path'
import { LoadOn, runMs, shapes, warmUpMs } from '../load-on.ts'
import { percent, say, thousands, verdict } from '../report.ts'
import { bareCommits } from '../sqlite-commits.ts'
import { fileId, sizeBytes } from '../states.ts'
import { folder, group, prepareTracker } from '../workplace.ts'

export async function benchCommands(): Promise<void> {
  say('durable commands', 'a second', 'a CPU s', 'p50 ms', 'p99 ms', 'load CPU')
  for (const entries of [1, 64, 256]) {
    const perSecond = bareCommits(join(folder, 'bare.sqlite'), entries, runMs / 2)
    say(`bare SQLite, ${entries} entries a commit`, thousands(perSecond))
  }
  const tracker = await prepareTracker(['--data-dir', join(folder, 'commands')])
  const load = new LoadOn(tracker)
  for (const [connections, depth] of shapes) {
    const file = { group, name: `${connections}-#.jpg`, fileId, sizeBytes }
    const params = JSON.stringify({ id: `${connections}-command-#-0123456`, ...file })
    const request = `"method":"share_file","params":${params}`
    const order = { connections, depth, kind: 'command', request } as const
    await load.run({ ...order, ms: warmUpMs })
    const report = await load.run({ ...order, ms: runMs })
    if (report.refusals > 0) throw new Error(`${report.refusals} refusals`)
    const perSecond = report.answers / report.seconds
    say(
      `share_file, ${connections} x ${depth}`,
      thousands(perSecond),
      thousands(report.answers / report.cpuSeconds),
      report.p50Ms.toFixed(2),
      report.p99Ms.toFixed(2),
      percent(report.load),
    )
    if (connections * depth === 256)
      verdict('durable commands a second, 256 in flight', thousands(perSecond), '15,000', perSecond >= 15_000)
  }
  await load.end()
  await tracker.stop()
}
