// npm run bench:tracker -- [queries] [commands] [memory] [start]     (all of them when none is named; Linux)
// Measures one tracker against the least that Node and SQLite need for the same work in the same run. Bounds:
// half the queries per CPU second of a bare line server; 15,000 durable commands per second with 256 in
// flight; 20 KiB per idle connection. Times the start with a million commands in the log. The load comes from
// a separate process. Exits with 1 when a bound is missed.

import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Order, Report } from './tracker/load.ts'
import { writeLongLog } from './tracker/long-log.ts'
import { ServerProcess } from './tracker/server-process.ts'
import { bareCommits } from './tracker/sqlite-commits.ts'
import { TrackerUser } from './tracker/tracker-user.ts'

const runMs = 4_000
const warmUpMs = 1_000
/** Connections, and requests in flight on each. */
const shapes = [
  [1, 1],
  [64, 4],
  [1000, 1],
] as const
const idleConnections = 2_000
const commandsOfLongLog = 1_000_000

const folder = mkdtempSync(join(tmpdir(), 'coterie-bench-'))
const generators: ChildProcess[] = []
let allReached = true

class Load {
  readonly #child: ChildProcess
  readonly #server: ServerProcess

  constructor(server: ServerProcess) {
    this.#server = server
    this.#child = fork(fileURLToPath(new URL('tracker/load.ts', import.meta.url)))
    generators.push(this.#child)
  }

  /** Runs an order; returns its report and the CPU time the server used, in seconds. */
  async run(order: Omit<Order, 'port'>): Promise<Report & { cpuSeconds: number }> {
    const before = this.#server.cpuSeconds
    this.#child.send({ ...order, port: this.#server.port })
    const [report] = (await once(this.#child, 'message')) as [Report]
    return { ...report, cpuSeconds: this.#server.cpuSeconds - before }
  }

  async end(): Promise<void> {
    const exited = once(this.#child, 'exit')
    this.#child.disconnect()
    await exited
  }
}

function say(what: string, ...columns: readonly (string | number)[]): void {
  const shown = columns.map((column) => String(column).padStart(11)).join('')
  console.log(`${what.padEnd(40)}${shown}`)
}

function verdict(what: string, measured: string, asked: string, isReached: boolean): void {
  allReached &&= isReached
  console.log(`  ${isReached ? 'reached' : 'MISSED '}  ${what}: ${measured} (asked: ${asked})`)
}

function thousands(count: number): string {
  return Math.round(count).toLocaleString('en')
}

async function prepareTracker(words: readonly string[]): Promise<ServerProcess> {
  const tracker = await ServerProcess.tracker(words)
  const user = await TrackerUser.connect(tracker.port)
  await user.register()
  user.close()
  const again = await TrackerUser.connect(tracker.port)
  await again.login()
  await again.ask('create_group', { id: 'a'.repeat(16), group: 'family' })
  for (const name of ['a.jpg', 'b.jpg', 'c.jpg']) {
    const file = { group: 'family', name, fileId: 'ab'.repeat(32), sizeBytes: 3_000_000 }
    await again.ask('share_file', { id: `share-file-of-${name.at(0)}-1`, ...file })
  }
  again.close()
  return tracker
}

const queries = {
  list_groups: '"method":"list_groups","params":{}',
  list_files: '"method":"list_files","params":{"group":"family"}',
  find_file: '"method":"find_file","params":{"group":"family","name":"a.jpg"}',
}

/** Queries per CPU second of the server, for each shape. */
async function queryRates(what: string, load: Load, kind: Order['kind'], request: string): Promise<number[]> {
  const rates: number[] = []
  for (const [connections, depth] of shapes) {
    const order = { connections, depth, kind, request }
    await load.run({ ...order, ms: warmUpMs })
    const {
      answers,
      refusals,
      seconds,
      p50Ms,
      p99Ms,
      load: own,
      cpuSeconds,
    } = await load.run({ ...order, ms: runMs })
    if (refusals > 0) throw new Error(`${what}: ${refusals} refusals`)
    rates.push(answers / cpuSeconds)
    const isLimit = own > 0.9 && cpuSeconds / seconds < 0.9
    say(
      `${what}, ${connections} x ${depth}`,
      thousands(answers / seconds),
      thousands(answers / cpuSeconds),
      p50Ms.toFixed(2),
      p99Ms.toFixed(2),
      `${(own * 100).toFixed(0)} %${isLimit ? ' (the limit)' : ''}`,
    )
  }
  return rates
}

async function benchQueries(): Promise<void> {
  say('queries: connections x in flight on each', 'a second', 'a CPU s', 'p50 ms', 'p99 ms', 'load CPU')
  const bare = await ServerProcess.start('bare-server.mjs')
  const bareLoad = new Load(bare)
  const bareRates = await queryRates('bare line server', bareLoad, 'bare', queries.list_files)
  await bareLoad.end()
  await bare.stop()
  const tracker = await prepareTracker(['--memory'])
  const load = new Load(tracker)
  for (const [method, request] of Object.entries(queries)) {
    const rates = await queryRates(method, load, 'query', request)
    if (method === 'find_file') continue
    for (const [index, [connections, depth]] of shapes.entries()) {
      const share = (rates[index] ?? 0) / (bareRates[index] ?? 1)
      verdict(
        `${method}, ${connections} x ${depth}, of the bare server's queries per CPU second`,
        share.toFixed(2),
        '0.50',
        share >= 0.5,
      )
    }
  }
  await load.end()
  await tracker.stop()
}

async function benchCommands(): Promise<void> {
  console.log('')
  say('durable commands', 'a second', 'a CPU s', 'p50 ms', 'p99 ms', 'load CPU')
  for (const entries of [1, 64, 256]) {
    const perSecond = bareCommits(join(folder, 'bare.sqlite'), entries, runMs / 2)
    say(`bare SQLite, ${entries} entries a commit`, thousands(perSecond))
  }
  const tracker = await prepareTracker(['--data-dir', join(folder, 'commands')])
  const load = new Load(tracker)
  for (const [connections, depth] of shapes) {
    const request = `"method":"create_group","params":{"id":"${connections}-command-#-0123456","group":"g${connections}-#"}`
    const order = { connections, depth, kind: 'command', request } as const
    await load.run({ ...order, ms: warmUpMs })
    const report = await load.run({ ...order, ms: runMs })
    if (report.refusals > 0) throw new Error(`${report.refusals} refusals`)
    const perSecond = report.answers / report.seconds
    say(
      `create_group, ${connections} x ${depth}`,
      thousands(perSecond),
      thousands(report.answers / report.cpuSeconds),
      report.p50Ms.toFixed(2),
      report.p99Ms.toFixed(2),
      `${(report.load * 100).toFixed(0)} %`,
    )
    if (connections * depth === 256)
      verdict('durable commands a second, 256 in flight', thousands(perSecond), '15,000', perSecond >= 15_000)
  }
  await load.end()
  await tracker.stop()
}

async function benchMemory(): Promise<void> {
  console.log('')
  const tracker = await prepareTracker(['--memory'])
  const load = new Load(tracker)
  const order = { depth: 1, ms: 0, kind: 'query', request: queries.list_groups } as const
  // Warms up with logins, whose leftovers would otherwise count as the cost of a connection.
  await load.run({ ...order, connections: 500, afresh: true })
  const before = tracker.residentBytes
  await load.run({ ...order, connections: 500 + idleConnections })
  const each = (tracker.residentBytes - before) / idleConnections / 1024
  say(
    `resident with 500, with ${500 + idleConnections} connections`,
    `${(before / 2 ** 20).toFixed(0)} MiB`,
    `${(tracker.residentBytes / 2 ** 20).toFixed(0)} MiB`,
  )
  verdict('an idle connection that is logged in', `${each.toFixed(1)} KiB`, '20 KiB', each < 20)
  await load.end()
  await tracker.stop()
}

async function benchStart(): Promise<void> {
  console.log('')
  const data = join(folder, 'start')
  mkdirSync(data, { mode: 0o700 })
  await writeLongLog(join(data, 'log.sqlite'), commandsOfLongLog)
  const words = ['--data-dir', data]
  const replay = await ServerProcess.tracker(words)
  say(
    `start with ${thousands(commandsOfLongLog)} commands in the log`,
    `${(replay.startMs / 1000).toFixed(2)} s`,
  )
  say('resident after that', `${(replay.residentBytes / 2 ** 20).toFixed(0)} MiB`)
  await replay.stop()
  const snapshot = await ServerProcess.tracker(words)
  say('start from a snapshot of that state', `${(snapshot.startMs / 1000).toFixed(2)} s`)
  say('resident after that', `${(snapshot.residentBytes / 2 ** 20).toFixed(0)} MiB`)
  await snapshot.stop()
}

const parts = new Map([
  ['queries', benchQueries],
  ['commands', benchCommands],
  ['memory', benchMemory],
  ['start', benchStart],
])

try {
  const words = process.argv.slice(2).filter((word) => parts.has(word))
  for (const [name, run] of parts) if (words.length === 0 || words.includes(name)) await run()
  process.exitCode = allReached ? 0 : 1
} finally {
  for (const generator of generators) if (generator.connected) generator.disconnect()
  rmSync(folder, { recursive: true, force: true })
}
