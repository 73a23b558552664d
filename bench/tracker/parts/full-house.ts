// Measures whether an honest client can log in while others hold every place for connections without a login. Uses
// the real client's link to a tracker, with its retries and a key derived from a password.

import { join } from 'node:path'
import { scramIterations } from '../../../src/common/limits.ts'
import { makeIdentity } from '../../../src/common/security/identity.ts'
import { credentialsOf, deriveKeys } from '../../../src/common/security/scram.ts'
import { NetworkChanges } from '../../../src/client/network/network-changes.ts'
import { TrackerConnection } from '../../../src/client/tracker-link/tracker-connection.ts'
import { Generator } from '../generator.ts'
import type { SquatOrder, SquatReport } from '../generators/squatters.ts'
import { inMs, say, thousands, verdict } from '../report.ts'
import { ServerProcess } from '../server-process.ts'
import { account } from '../states.ts'
import { folder } from '../workplace.ts'
import { writeLog } from '../write-log.ts'
import { trackerProtocol } from '../../../src/common/protocol/tracker-protocol.ts'
import { unheard } from '../../../src/common/wire/caller.ts'
import { Protection } from '../../../src/common/wire/protection.ts'

const connections = 256
const loginMsMax = 1_000
/** Longer than a tracker waits for a first line. */
const patienceMs = 15_000
const tries = 3
const [user, password] = ['honest', 'correct horse']
const salt = Buffer.alloc(16, 9).toString('base64')

const houses = [
  ['an empty house', { connections: 0, speak: true, comeBack: false }],
  ['hello and ping, no more', { connections, speak: true, comeBack: false }],
  ['silent', { connections, speak: false, comeBack: false }],
  ['hello and ping, come back', { connections, speak: true, comeBack: true }],
  ['silent, come back', { connections, speak: false, comeBack: true }],
] as const

export async function benchFullHouse(): Promise<void> {
  const credentials = credentialsOf(await deriveKeys(password, salt, scramIterations))
  say(`logged in beside ${connections} that squat (ms)`, 'best', 'worst', 'inside', 'closed')
  for (const [name, squatters] of houses) {
    const dataFolder = join(folder, `full-house-${name.replaceAll(/[ ,]+/g, '-')}`)
    await writeLog(dataFolder, account(user, credentials))
    const tracker = await ServerProcess.tracker(['--data-dir', dataFolder])
    const generator = new Generator<SquatOrder, SquatReport>('squatters')
    const took: number[] = []
    let [inside, closed] = [Infinity, 0]
    // One try is enough when the client does not get in at all.
    while (took.length < tries && took.at(-1) !== Infinity) {
      const before = await generator.run({ what: 'come', port: tracker.port, ...squatters })
      inside = Math.min(inside, before.inside)
      took.push(await logIn(tracker.port))
      closed += (await generator.run({ what: 'leave' })).closed
    }
    await generator.end()
    await tracker.kill()
    say(name, inMs(Math.min(...took)), inMs(Math.max(...took)), inside, thousands(closed))
    judge(name, Math.max(...took))
  }
}

function judge(name: string, worstMs: number): void {
  const measured = worstMs === Infinity ? `not within ${patienceMs / 1000} s` : `${inMs(worstMs)} ms`
  verdict(`logged in beside: ${name}`, measured, `${thousands(loginMsMax)} ms`, worstMs <= loginMsMax)
}

/** Connects and logs in; returns how long it took in milliseconds, Infinity for more than `patienceMs`. */
async function logIn(port: number): Promise<number> {
  const startedAtMs = performance.now()
  const credentials = { user, keys: (salt: string, count: number) => deriveKeys(password, salt, count) }
  let onUp = (): void => undefined
  const nothing = (): undefined => undefined
  const identity = makeIdentity()
  const connection = new TrackerConnection({
    address: { host: '127.0.0.1', port },
    listen: { host: '127.0.0.1', port: 4444 },
    identity,
    protection: new Protection(identity.forTls, 'beyond'),
    changes: new NetworkChanges(),
    trust: { check: nothing, pinOf: nothing },
    whereabouts: async () => ({ port: 4444 }),
    told: unheard(trackerProtocol),
    onTrackers: nothing,
    onLoginEnded: nothing,
    credentialsFor: () => credentials,
    onUp: () => onUp(),
    onDown: nothing,
  })
  const up = new Promise<true>((resolve) => (onUp = () => resolve(true)))
  let timer: NodeJS.Timeout | undefined
  const tooLate = new Promise<false>((resolve) => (timer = setTimeout(() => resolve(false), patienceMs)))
  void connection.start()
  const isUp = await Promise.race([up, tooLate])
  clearTimeout(timer)
  connection.stop()
  return isUp ? performance.now() - startedAtMs : Infinity
}
