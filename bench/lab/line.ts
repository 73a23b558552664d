// A long line between two namespaces, by a program in C (link/): with a delay, losses and a rate, which can be changed.

import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Namespaces } from '../../test/namespaces.ts'

const source = fileURLToPath(new URL('link/link.c', import.meta.url))

export interface Conditions {
  /** There and back, in milliseconds. */
  readonly roundTripMs: number
  /** The part of all segments that is lost in each direction, from 0 to 1. */
  readonly loss: number
  /** In megabits a second. */
  readonly rateMbit: number
}

/** What passed in one direction. */
export interface Passed {
  readonly segments: number
  readonly bytes: number
  readonly lost: number
  /** Did not fit into the queue. */
  readonly overflowed: number
}

/** The queue in front of the line holds what it carries in this time. */
const queueMs = 50

/** Compiles the program into a folder; or why there is none. */
export function compileLine(folder: string): { program: string } | { why: string } {
  const compiler = process.env['CC'] ?? 'cc'
  const program = join(folder, 'link')
  const words = ['-std=c11', '-O2', '-o', program, source, '-lm']
  const { status, stderr, error } = spawnSync(compiler, words, { encoding: 'utf8' })
  if (error !== undefined) return { why: `there is no C compiler (${compiler})` }
  return status === 0 ? { program } : { why: `${compiler} failed: ${stderr.trim().split('\n')[0]}` }
}

export class Line {
  readonly #child: ChildProcess
  readonly #answers: AsyncIterator<string, undefined>

  private constructor(child: ChildProcess, answers: AsyncIterator<string, undefined>) {
    this.#child = child
    this.#answers = answers
  }

  /**
   * Makes a device of this name on both machines; they have no address yet. Rejects where that cannot be done. The line
   * ends with this process.
   */
  static async open(
    program: string,
    spaces: Namespaces,
    [one, other]: readonly [string, string],
    device: string,
    seed = 1,
  ): Promise<Line> {
    const words = [spaces.name(one), spaces.name(other), device, String(seed)]
    const child = spawn(program, words, { stdio: ['pipe', 'pipe', 'inherit'] })
    const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    const line = new Line(child, answers)
    if ((await line.#answer()) !== 'ready') throw new Error('the line cannot be made')
    // Else what waits here for a busy reader would be lost before the line has counted it.
    for (const machine of [one, other]) spaces.ip(machine, 'link', 'set', device, 'up', 'txqueuelen', '10000')
    return line
  }

  /** How the line is from now on; resolves to what has passed in both directions so far. */
  async become({ roundTripMs, loss, rateMbit }: Conditions): Promise<{ there: Passed; back: Passed }> {
    this.#child.stdin?.write(`${roundTripMs * 500} ${loss * 1e6} ${rateMbit} ${queueMs}\n`)
    return JSON.parse(await this.#answer()) as { there: Passed; back: Passed }
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.stdin?.end()
    await ended
  }

  async #answer(): Promise<string> {
    const answer = await this.#answers.next()
    if (answer.done === true) throw new Error('the line has ended')
    return answer.value
  }
}
