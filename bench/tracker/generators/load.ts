// The closed-loop load generator: keeps a number of requests in flight on each connection.

import { ownLoad, serveOrders } from '../generator.ts'
import { TrackerUser } from '../tracker-user.ts'
import { makeIdentity } from '../../../src/common/security/identity.ts'

/** An order from the parent, answered by a `Report`. */
export interface Order {
  readonly port: number
  /** Connections to use. Missing ones are opened, surplus ones stay idle. */
  readonly connections: number
  /** Existing accounts; the connections take them in turn. */
  readonly users: readonly string[]
  /** Requests in flight on each connection. */
  readonly depth: number
  /** How long to send; 0 only opens the connections. */
  readonly ms: number
  readonly kind: 'bare' | 'query' | 'command'
  /** The part of the request after its id. `#` stands for a number that is new each time. */
  readonly request: string
  /** Closes all connections first. */
  readonly afresh?: boolean
}

export interface Report {
  readonly answers: number
  readonly refusals: number
  readonly seconds: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** CPU use of the generator, as a share of one core: near 1, the generator was the limit. */
  readonly load: number
}

/** Logins in progress at once: fewer than the anonymous connections that a tracker accepts. */
const loginsAtOnce = 64
/** Latencies are counted in classes of 10 µs, up to a second. */
const classMs = 0.01
const classes = 100_000

const identity = makeIdentity()
let users: TrackerUser[] = []
let made = 0

async function ready(order: Order): Promise<void> {
  if (order.afresh === true) {
    for (const user of users) user.close()
    users = []
  }
  while (users.length < order.connections) {
    const missing = Math.min(loginsAtOnce, order.connections - users.length)
    users.push(
      ...(await Promise.all(
        Array.from({ length: missing }, (_, index) => {
          const user = order.users[(users.length + index) % order.users.length] ?? ''
          const account = { user, identity }
          return order.kind === 'bare'
            ? TrackerUser.connect(order.port, account)
            : TrackerUser.loggedIn(order.port, account)
        }),
      )),
    )
  }
}

async function run(order: Order): Promise<Report> {
  await ready(order)
  const chosen = users.slice(0, order.connections)
  const counts = new Uint32Array(classes)
  const next = (): string =>
    order.kind === 'command' ? order.request.replaceAll('#', String(made++)) : order.request
  const cpuBefore = process.cpuUsage()
  const startedAtMs = performance.now()
  const endAtMs = startedAtMs + order.ms
  let answers = 0
  await new Promise<void>((resolve) => {
    let busy = chosen.length
    if (order.ms === 0) return resolve()
    for (const user of chosen) {
      user.refusals = 0
      user.measure((latencyMs) => {
        answers++
        const at = Math.min(classes - 1, Math.floor(latencyMs / classMs))
        counts[at] = (counts[at] ?? 0) + 1
        if (performance.now() < endAtMs) user.send(next())
        else if (user.inFlight === 0 && --busy === 0) resolve()
      })
      for (let count = 0; count < order.depth; count++) user.send(next())
      user.flush()
    }
  })
  const seconds = (performance.now() - startedAtMs) / 1000
  const load = ownLoad(cpuBefore, seconds)
  for (const user of chosen) user.measure(undefined)
  return {
    answers,
    refusals: chosen.reduce((sum, user) => sum + user.refusals, 0),
    seconds,
    p50Ms: quantile(counts, answers, 0.5),
    p99Ms: quantile(counts, answers, 0.99),
    load,
  }
}

function quantile(counts: Uint32Array, total: number, share: number): number {
  let seen = 0
  for (const [index, count] of counts.entries()) {
    seen += count
    if (seen >= total * share) return (index + 1) * classMs
  }
  return 0
}

serveOrders(run)
