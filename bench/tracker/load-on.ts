// The closed-loop load (generators/load.ts) on one server, and the CPU time that the server spends on it.

import { Generator } from './generator.ts'
import type { Order, Report } from './generators/load.ts'
import type { ServerProcess } from './server-process.ts'
import { benchUsers } from './workplace.ts'

/** Connections, and requests in flight on each. */
export const shapes = [
  [1, 1],
  [64, 4],
  [1000, 1],
] as const

export const runMs = 4_000
export const warmUpMs = 1_000

export class LoadOn {
  readonly #server: ServerProcess
  readonly #users: readonly string[]
  readonly #generator = new Generator<Order, Report>('load')

  constructor(server: ServerProcess, users: readonly string[] = benchUsers) {
    this.#server = server
    this.#users = users
  }

  /** Runs an order; returns its report and the CPU time the server used, in seconds. */
  async run(order: Omit<Order, 'port' | 'users'>): Promise<Report & { cpuSeconds: number }> {
    const before = this.#server.cpuSeconds
    const report = await this.#generator.run({ ...order, users: this.#users, port: this.#server.port })
    return { ...report, cpuSeconds: this.#server.cpuSeconds - before }
  }

  end(): Promise<void> {
    return this.#generator.end()
  }
}
