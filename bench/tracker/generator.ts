// A load generator: a process of its own, so that its CPU time is not counted as the tracker's. Takes one order
// at a time and answers it with a report.

import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setPriority } from 'node:os'
import { fileURLToPath } from 'node:url'

const running = new Set<ChildProcess>()

export class Generator<Order extends object, Report> {
  readonly #child: ChildProcess
  readonly #ended: Promise<never>

  /** `script`: its file in generators/, without the ending, or its address. */
  constructor(script: string | URL) {
    const file = typeof script === 'string' ? new URL(`generators/${script}.ts`, import.meta.url) : script
    // Advanced serialization keeps Infinity, Map and typed arrays as they are.
    this.#child = fork(fileURLToPath(file), { serialization: 'advanced' })
    running.add(this.#child)
    this.#ended = once(this.#child, 'exit').then(() => {
      throw new Error(`the load generator ${fileURLToPath(file)} ended`)
    })
    this.#ended.catch(() => undefined)
  }

  /** Rejects when the generator ends before it reports: its error is on standard error by then. */
  async run(order: Order): Promise<Report> {
    this.#child.send(order)
    const [report] = (await Promise.race([once(this.#child, 'message'), this.#ended])) as [Report]
    return report
  }

  async end(): Promise<void> {
    running.delete(this.#child)
    const exited = once(this.#child, 'exit')
    this.#child.disconnect()
    await exited
  }
}

/** Ends generators that an error has left running. */
export function endAllGenerators(): void {
  for (const child of running) if (child.connected) child.disconnect()
}

/** Called in the generator's process: answers each order with the result of `run`, and exits with its parent. */
export function serveOrders(run: (order: never) => Promise<unknown>): void {
  process.on('message', (order) => {
    run(order as never).then(
      (report) => process.send?.(report ?? null),
      (error: unknown) => {
        console.error(error)
        process.exit(1)
      },
    )
  })
  process.on('disconnect', () => process.exit(0))
}

/**
 * Lowers the priority of a generator that should load the tracker rather than the processors: with few cores, the
 * tracker and the measuring process come first.
 */
export function giveWay(): void {
  setPriority(10)
}

/** CPU time of this process since `before`, as a share of one core over `seconds`. */
export function ownLoad(before: NodeJS.CpuUsage, seconds: number): number {
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1e6 / seconds
}
