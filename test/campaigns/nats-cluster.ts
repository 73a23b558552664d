// Three nats-servers as a cluster, and what an administrator sees of it.

import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream'
import { connect, type NatsConnection } from '@nats-io/transport-node'
import { setTimeout } from 'node:timers/promises'
import { NatsServer } from '../tracker/support/nats-server.ts'

/** The only stream in this campaign: the log of the trackers. */
const stream = 'coterie'
/** Longer than an election takes, and the catching up of a restarted server. */
const patienceMs = 60_000
const lookEveryMs = 200

export interface ClusterPlace {
  readonly folder: string
  readonly host: string
  /** Three for clients, then three for routes. */
  readonly ports: readonly number[]
  readonly within?: readonly string[]
}

export class NatsCluster {
  readonly servers: readonly NatsServer[]
  #connection: NatsConnection | undefined

  constructor({ folder, host, ports, within }: ClusterPlace) {
    const [clients, routes] = [ports.slice(0, 3), ports.slice(3)]
    this.servers = clients.map((port, index) => {
      const own = routes[index] as number
      const others = routes.filter((route) => route !== own)
      return new NatsServer({ name: `n${index}`, folder, host, port, routes: [own, ...others], within })
    })
  }

  /** The argument of `--log`. */
  get address(): string {
    return `nats://${this.servers.map((server) => server.address).join(',')}`
  }

  async start(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.start()))
  }

  /** Resolves to the server that leads the log, once there is one and every replica is current. */
  async whenWhole(): Promise<NatsServer> {
    const deadlineMs = performance.now() + patienceMs
    for (;;) {
      const leader = await this.#leaderOfWhole()
      if (leader !== undefined) return leader
      if (performance.now() > deadlineMs) throw new Error('the NATS cluster does not become whole again')
      await setTimeout(lookEveryMs)
    }
  }

  async close(): Promise<void> {
    await this.#connection?.close()
    await Promise.all(this.servers.map((server) => server.kill()))
  }

  async #leaderOfWhole(): Promise<NatsServer | undefined> {
    try {
      const { cluster } = await (await this.#manager()).streams.info(stream)
      const replicas = cluster?.replicas ?? []
      if (replicas.length < 2 || replicas.some(({ current, offline }) => !current || offline))
        return undefined
      return this.servers.find(({ name }) => name === cluster?.leader)
    } catch {
      // It is electing, or starting.
      return undefined
    }
  }

  async #manager(): Promise<JetStreamManager> {
    const servers = this.servers.map((server) => server.address)
    this.#connection ??= await connect({ servers, maxReconnectAttempts: -1, reconnectTimeWait: lookEveryMs })
    return jetstreamManager(this.#connection, { checkAPI: false, timeout: 1000 })
  }
}
