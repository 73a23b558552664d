// Measures queries per CPU second of the tracker, compared with a bare line server.

import type { Order } from '../generators/load.ts'
import { LoadOn, runMs, shapes, warmUpMs } from '../load-on.ts'
import { percent, say, thousands, verdict } from '../report.ts'
import { ServerProcess } from '../server-process.ts'
import { prepareTracker } from '../workplace.ts'

export const listGroups = '"method":"list_groups","params":{}'
const listFiles = '"method":"list_files","params":{"group":"family"}'
const findFile = '"method":"find_file","params":{"group":"family","name":"a.jpg"}'

/** The least share of the bare server's rate. `find_file` does more: it watches the swarm and answers with a ticket. */
const queries = [
  ['list_groups', listGroups, 0.5],
  ['list_files', listFiles, 0.5],
  ['find_file', findFile, 0.3],
] as const

export async function benchQueries(): Promise<void> {
  say('queries: connections x in flight on each', 'a second', 'a CPU s', 'p50 ms', 'p99 ms', 'load CPU')
  const bare = await ServerProcess.start('bare-server.mjs')
  const bareLoad = new LoadOn(bare)
  const bareRates = await queryRates('bare line server', bareLoad, 'bare', listFiles)
  await bareLoad.end()
  await bare.stop()
  const tracker = await prepareTracker(['--memory'])
  const load = new LoadOn(tracker)
  for (const [method, request, least] of queries) {
    const rates = await queryRates(method, load, 'query', request)
    for (const [index, [connections, depth]] of shapes.entries()) {
      const share = (rates[index] ?? 0) / (bareRates[index] ?? 1)
      verdict(
        `${method}, ${connections} x ${depth}, of the bare server's queries per CPU second`,
        share.toFixed(2),
        least.toFixed(2),
        share >= least,
      )
    }
  }
  await load.end()
  await tracker.stop()
}

/** Queries per CPU second of the server, for each shape. */
async function queryRates(
  what: string,
  load: LoadOn,
  kind: Order['kind'],
  request: string,
): Promise<number[]> {
  const rates: number[] = []
  for (const [connections, depth] of shapes) {
    const order = { connections, depth, kind, request }
    await load.run({ ...order, ms: warmUpMs })
    const report = await load.run({ ...order, ms: runMs })
    const { answers, refusals, seconds, cpuSeconds, load: own } = report
    if (refusals > 0) throw new Error(`${what}: ${refusals} refusals`)
    rates.push(answers / cpuSeconds)
    const isLimit = own > 0.9 && cpuSeconds / seconds < 0.9
    say(
      `${what}, ${connections} x ${depth}`,
      thousands(answers / seconds),
      thousands(answers / cpuSeconds),
      report.p50Ms.toFixed(2),
      report.p99Ms.toFixed(2),
      `${percent(own)}${isLimit ? ' (the limit)' : ''}`,
    )
  }
  return rates
}
