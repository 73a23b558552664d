// The load generator of `npm run load`: a process with some of the clients. They log in, ask, come back after a restart
// of the tracker, and come and go.

import { benchKeys } from '../tracker/tracker-user.ts'
import { serveOrders, ownLoad } from '../tracker/generator.ts'
import { LatencySample, type RawLatencies } from '../tracker/latencies.ts'
import { memberOf } from '../tracker/states.ts'
import { makeIdentity } from '../../src/common/security/identity.ts'
import { Protection } from '../../src/common/wire/protection.ts'
import { seededRandom } from '../../test/simulation/seeded-random.ts'
import { Churn, type Churned } from './churn.ts'
import { hostOf } from './hosts.ts'
import { LoadClient } from './load-client.ts'

export type PeopleOrder =
  | {
      /** Makes the clients and logs them in, `atOnce` at a time. */
      readonly what: 'come'
      readonly trackerPort: number
      /** Which of all members they are: this many from the first one on. */
      readonly first: number
      readonly count: number
      readonly atOnce: number
      readonly seed: number
    }
  | {
      /** Each asks about every `everyMs`, for `ms`; only what is asked after `warmUpMs` counts. */
      readonly what: 'act'
      readonly everyMs: number
      readonly warmUpMs: number
      readonly ms: number
      /** Whether clients come and go meanwhile, and groups and files with them. All are back at the end. */
      readonly churns: boolean
    }
  /** From here on, it is noted who comes back. */
  | { readonly what: 'expect restart' }
  /** Until all are back. */
  | { readonly what: 'come back' }

export interface PeopleReport {
  /** Of queries. */
  readonly latencies: RawLatencies
  /** When each client was back, in milliseconds since 1970. */
  readonly backAtMs: Float64Array
  /** Logins with the password, of all there were. */
  readonly passwordLogins: number
  /** Connections that were begun, refused ones included. */
  readonly calls: number
  /** Those where the handshake of TLS was finished. */
  readonly handshakes: number
  readonly churned: Churned | undefined
  /** Sentences about what should not happen, with how often each was said. */
  readonly troubles: ReadonlyMap<string, number>
  /** CPU use of this process, as a share of one core: near 1, the generator was the limit. */
  readonly load: number
}

const clients: LoadClient[] = []
let random = seededRandom(0)
let troubles = new Map<string, number>()
/** Those that have come back since the last order to expect a restart, with the time. */
let back = new Map<LoadClient, number>()
let onBack = (): void => undefined
/** Connections begun, and those with finished handshakes. */
const counts = { calls: 0, handshakes: 0 }

async function come(order: PeopleOrder & { what: 'come' }): Promise<void> {
  const keys = await benchKeys
  random = seededRandom(order.seed)
  const protection = new Protection(makeIdentity().forTls, 'always')
  let next = order.first
  const end = order.first + order.count
  await new Promise<void>((resolve) => {
    const comeNext = (): void => {
      if (next === end) return
      const index = next++
      const client = new LoadClient({
        member: memberOf(index),
        host: hostOf(index),
        trackerPort: order.trackerPort,
        identity: makeIdentity(),
        keys,
        protection,
        random,
        onBack: noteBack,
        onCall: () => counts.calls++,
        onHandshake: () => counts.handshakes++,
        onTrouble: (sentence) => troubles.set(sentence, (troubles.get(sentence) ?? 0) + 1),
      })
      clients.push(client)
      client.come(true)
    }
    onBack = () => {
      comeNext()
      if (back.size === order.count) resolve()
    }
    for (let count = 0; count < order.atOnce; count++) comeNext()
  })
}

function noteBack(client: LoadClient): void {
  back.set(client, performance.timeOrigin + performance.now())
  onBack()
}

/** Resolves when all of them are back. */
function allBack(): Promise<void> {
  return new Promise((resolve) => {
    onBack = () => {
      if (clients.every((client) => client.isUp && back.has(client))) resolve()
    }
    onBack()
  })
}

async function act(
  order: PeopleOrder & { what: 'act' },
  sample: LatencySample,
): Promise<Churned | undefined> {
  const ignored = new LatencySample()
  const countsFromMs = performance.now() + order.warmUpMs
  const open = new Set<Promise<void>>()
  const timers = new Map<LoadClient, NodeJS.Timeout>()
  const askLater = (client: LoadClient, waitMs: number): void => {
    const ask = (): void => {
      askLater(client, order.everyMs * (0.5 + random()))
      if (!client.isUp) return
      const query = client.query(performance.now() < countsFromMs ? ignored : sample)
      open.add(query)
      void query.then(() => open.delete(query))
    }
    timers.set(client, setTimeout(ask, waitMs))
  }
  for (const client of clients) askLater(client, order.everyMs * random())
  const churn = order.churns ? new Churn(clients, random) : undefined
  await new Promise((resolve) => setTimeout(resolve, order.ms))
  const churned = await churn?.end()
  for (const timer of timers.values()) clearTimeout(timer)
  await Promise.all(open)
  if (order.churns) await allBack()
  return churned
}

async function run(order: PeopleOrder): Promise<PeopleReport> {
  const cpuBefore = process.cpuUsage()
  const startedAtMs = performance.now()
  const passwordLogins = (): number => clients.reduce((sum, client) => sum + client.passwordLogins, 0)
  const passwordsBefore = passwordLogins()
  const before = { ...counts }
  const sample = new LatencySample()
  let churned: Churned | undefined
  if (order.what === 'expect restart') back = new Map()
  else if (order.what === 'come') await come(order)
  else if (order.what === 'come back') await allBack()
  else churned = await act(order, sample)
  const said = troubles
  troubles = new Map()
  return {
    latencies: sample.raw,
    backAtMs: Float64Array.from(back.values()),
    passwordLogins: passwordLogins() - passwordsBefore,
    calls: counts.calls - before.calls,
    handshakes: counts.handshakes - before.handshakes,
    churned,
    troubles: said,
    load: ownLoad(cpuBefore, (performance.now() - startedAtMs) / 1000),
  }
}

serveOrders(run)
