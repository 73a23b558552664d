// Measures what an honest client notices of an attack: the round trips of its pings and durable changes, alone and
// next to an attacker with up to 40 connections of one account and 8 without a login.

import { cpSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from '../../../src/tracker/state/commands.ts'
import { Generator } from '../generator.ts'
import type { Attack, AttackOrder, AttackReport } from '../generators/attackers.ts'
import type { SteadyOrder, SteadyReport } from '../generators/steady.ts'
import type { Latencies } from '../latencies.ts'
import { inMs, mentionMachine, percent, say, thousands, verdict } from '../report.ts'
import { ServerProcess, Usage } from '../server-process.ts'
import { account, crowd, ownedGroups } from '../states.ts'
import { benchCredentials } from '../tracker-user.ts'
import { folder } from '../workplace.ts'
import { writeLog } from '../write-log.ts'

const groups = 100_000
const pingP99Ms = 50
const changeP99Ms = 250
const measuredMs = 4_000
/** How long an attack runs before measuring begins. */
const leadMs = 500
const [attacker, honest] = ['mallory', 'honest']

const connections = 40
const strangers = 8
const runs: readonly (readonly [name: string, attacks: readonly (readonly [Attack, number])[]])[] = [
  ['alone', []],
  ['refused joins', [['refused joins', connections]]],
  ['pages past the end', [['pages past the end', connections]]],
  ['full writes', [['full writes', connections]]],
  ['dear lines', [['dear lines', connections]]],
  ['changes', [['changes', connections]]],
  ['changes with news', [['changes with news', connections]]],
  ['login_start', [['login_start', strangers]]],
  ['register', [['register', strangers]]],
  [
    'all together',
    [
      ['refused joins', connections / 5],
      ['pages past the end', connections / 5],
      ['full writes', connections / 5],
      ['changes', connections / 5],
      ['changes with news', connections / 5],
      ['login_start', strangers / 2],
      ['register', strangers / 2],
    ],
  ],
]

export async function benchNeighbours(): Promise<void> {
  const original = join(folder, 'neighbours')
  await writeLog(original, await state())
  say('an honest client beside an attack (ms)', 'p50', 'p99', 'max', 'lost')
  const bare = await ServerProcess.start('bare-server.mjs')
  for (const [name, attacks] of runs) {
    // Each run starts from the same state, because some attacks make it grow.
    const copy = join(folder, `neighbours-${name.replaceAll(' ', '-')}`)
    cpSync(original, copy, { recursive: true })
    await measure(name, copy, new Map(attacks), bare.port)
  }
  await bare.stop()
}

async function measure(
  name: string,
  dataFolder: string,
  attacks: ReadonlyMap<Attack, number>,
  barePort: number,
): Promise<void> {
  const tracker = await ServerProcess.tracker(['--data-dir', dataFolder])
  const attack = new Generator<AttackOrder, AttackReport>('attackers')
  const steady = new Generator<SteadyOrder, SteadyReport>('steady')
  const { port } = tracker
  const order = { port, barePort, users: [honest], pingEveryMs: 10, changesPerSecond: 50 }
  // Warms up the code and the disk.
  await steady.run({ ...order, ms: 500 })
  if (attacks.size > 0) await attack.run({ what: 'start', port, user: attacker, attacks })
  await new Promise((resolve) => setTimeout(resolve, leadMs))
  const usage = new Usage(tracker)
  const report = await steady.run({ ...order, ms: measuredMs })
  const used = usage.sentence
  const against = attacks.size > 0 ? await attack.run({ what: 'stop' }) : undefined
  await tracker.kill()
  await steady.end()
  await attack.end()
  const { pings, changes, barePings } = report
  say(`${name}: ping`, ...columns(pings))
  say(`${name}: change`, ...columns(changes))
  say('  the same ping to a bare server', ...columns(barePings))
  console.log(`  tracker ${used}`)
  if (against !== undefined) console.log(`  attack: ${sentenceOf(against)}`)
  judge(`${name}, ping`, pings, pingP99Ms)
  judge(`${name}, change`, changes, changeP99Ms)
  mentionMachine(barePings.p99Ms, pingP99Ms)
}

function columns({ p50Ms, p99Ms, maxMs, lost }: Latencies): (string | number)[] {
  return [inMs(p50Ms), inMs(p99Ms), inMs(maxMs), lost]
}

function sentenceOf({ answersPerSecond, refusals, refusal, cutOff, load }: AttackReport): string {
  const rate = `${thousands(answersPerSecond)} answers/s for ${percent(load)} of a core, cut off ${thousands(cutOff)} times`
  return refusals === 0
    ? rate
    : `${rate}, refused at least ${thousands(refusals)} times ("${refusal ?? '…'}")`
}

function judge(what: string, { p99Ms }: Latencies, boundMs: number): void {
  verdict(`${what}, p99`, `${inMs(p99Ms)} ms`, `${boundMs} ms`, p99Ms < boundMs)
}

async function state(): Promise<Iterable<Command>> {
  const credentials = await benchCredentials()
  return (function* commands() {
    yield* crowd(attacker, 1, credentials)
    yield* account(honest, credentials)
    yield* ownedGroups(groups, credentials)
  })()
}
