// Open-loop clients: they ask at a steady pace, however long the answers take, and time them. The first client pings;
// all of them make durable changes in turn.

import { ownLoad, serveOrders } from '../generator.ts'
import { LatencySample, type Latencies } from '../latencies.ts'
import { fileId, sizeBytes } from '../states.ts'
import { TrackerUser, type Answered } from '../tracker-user.ts'
import { makeNonce } from '../../../src/common/security/challenge.ts'
import { makeIdentity } from '../../../src/common/security/identity.ts'

export interface SteadyOrder {
  readonly port: number
  /** A bare line server that is pinged at the same moments, to show what the machine itself adds. */
  readonly barePort: number
  /** Existing accounts; each gets a connection and keeps it. */
  readonly users: readonly string[]
  readonly ms: number
  /** 0 for none. */
  readonly pingEveryMs: number
  /** 0 for none. */
  readonly changesPerSecond: number
}

export interface SteadyReport {
  readonly pings: Latencies
  readonly changes: Latencies
  readonly barePings: Latencies
  readonly load: number
}

/** Changes are sent in batches at this interval, so that thousands a second need one timer. */
const portionEveryMs = 10
const filesPerGroup = 10
/** Requests unanswered this long after the end count as lost. */
const patienceMs = 10_000

async function run(order: SteadyOrder): Promise<SteadyReport> {
  const clients = await Promise.all(order.users.map((user) => clientOf(order.port, user)))
  const bare = await TrackerUser.connect(order.barePort)
  const [pings, changes, barePings] = [new LatencySample(), new LatencySample(), new LatencySample()]
  const open = new Set<Promise<void>>()
  const time = (sample: LatencySample, request: Promise<Answered>): void => {
    const sentAtMs = performance.now()
    const timed = request.then((answer) => {
      if (answer.ok) sample.add(performance.now() - sentAtMs)
      else sample.addLost()
      open.delete(timed)
    })
    open.add(timed)
  }
  const cpuBefore = process.cpuUsage()
  const startedAtMs = performance.now()
  const timers: NodeJS.Timeout[] = []
  const [first] = clients
  if (order.pingEveryMs > 0 && first !== undefined) {
    const ping = (): void => {
      time(pings, first.ping())
      time(barePings, bare.request('ping', {}))
    }
    timers.push(setInterval(ping, order.pingEveryMs))
  }
  if (order.changesPerSecond > 0) {
    let sent = 0
    const portion = (): void => {
      const due = ((performance.now() - startedAtMs) / 1000) * order.changesPerSecond
      for (; sent < due; sent++) time(changes, (clients[sent % clients.length] as Client).change())
    }
    timers.push(setInterval(portion, portionEveryMs))
  }
  await pause(order.ms)
  for (const timer of timers) clearInterval(timer)
  const load = ownLoad(cpuBefore, (performance.now() - startedAtMs) / 1000)
  await Promise.race([Promise.all(open), pause(patienceMs)])
  bare.close()
  // Closing settles the open requests, which then count as lost.
  if (open.size > 0) for (const client of clients) client.close()
  await Promise.all(open)
  return { pings: pings.summary, changes: changes.summary, barePings: barePings.summary, load }
}

/** Clients stay logged in between orders, so that an attack in between does not affect their login. */
const known = new Map<string, Client>()

async function clientOf(port: number, user: string): Promise<Client> {
  let client = known.get(user)
  if (client === undefined || client.isClosed) {
    client = await Client.logIn(port, user)
    known.set(user, client)
  }
  return client
}

class Client {
  readonly #user: TrackerUser
  readonly #group: string
  #made = 0

  private constructor(user: TrackerUser, group: string) {
    this.#user = user
    this.#group = group
    // After a loss, all its requests count as lost.
    user.onLost = () => undefined
  }

  static async logIn(port: number, name: string): Promise<Client> {
    const user = await TrackerUser.loggedIn(port, { user: name, identity: makeIdentity() })
    const group = `g${makeNonce().slice(0, 12).replaceAll(/[-_]/g, '.')}`
    await user.ask('create_group', { id: makeNonce(), group })
    return new Client(user, group)
  }

  get isClosed(): boolean {
    return this.#user.isClosed
  }

  ping(): Promise<Answered> {
    return this.#user.request('ping', {})
  }

  /** Mostly a new file, and now and then a new group: a tracker may bound how many groups one user owns. */
  change(): Promise<Answered> {
    const [id, number] = [makeNonce(), this.#made++]
    const group = this.#group
    if (number % filesPerGroup === 0)
      return this.#user.request('create_group', { id, group: `${group}-${number}` })
    return this.#user.request('share_file', { id, group, name: `${number}.jpg`, fileId, sizeBytes })
  }

  close(): void {
    this.#user.close()
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

serveOrders(run)
