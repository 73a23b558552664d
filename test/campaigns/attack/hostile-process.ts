// Runs an attack as a program of its own, with only the processor time that others leave: real attackers have machines
// of their own.

import { spawn, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Outcome, Scene } from './battle.ts'
import type { Order } from './hostile-program.ts'

const script = fileURLToPath(new URL('hostile-program.ts', import.meta.url))
/** An attack that has not begun or ended by then hangs. */
const patienceMs = 90_000

export class HostileProcess {
  readonly #child: ChildProcess
  readonly #outcome: Promise<Outcome>

  private constructor(child: ChildProcess, outcome: Promise<Outcome>) {
    this.#child = child
    this.#outcome = outcome
  }

  /** Resolves when the attack is under way. */
  static async start(attack: string, scene: Scene): Promise<HostileProcess> {
    const order: Order = { attack, scene }
    const words = ['-n', '19', process.execPath, '--import', 'tsx', script, JSON.stringify(order)]
    const child = spawn('nice', words, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    const begun = new Promise<void>((resolve) => {
      child.on('message', (message) => {
        if (message === 'begun') resolve()
      })
    })
    const outcome = new Promise<Outcome>((resolve, reject) => {
      child.on('message', (message) => {
        if (message !== 'begun') resolve(message as Outcome)
      })
      // Not when it exits: what it has told may not have been read yet.
      child.once('disconnect', () => reject(new Error(`the attack "${attack}" has ended by itself`)))
    })
    const hostile = new HostileProcess(child, outcome)
    // Whoever waits for it below hears of it.
    outcome.catch(() => undefined)
    try {
      await inTime(Promise.race([begun, outcome]), `the attack "${attack}" has not begun`)
    } catch (error) {
      hostile.kill()
      throw error
    }
    return hostile
  }

  /** Ends the attack; what came of it. */
  async stop(): Promise<Outcome> {
    try {
      if (this.#child.connected) this.#child.send('stop')
      return await inTime(this.#outcome, 'the attack does not end')
    } finally {
      this.kill()
    }
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }
}

async function inTime<T>(what: Promise<T>, sentence: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(sentence)), patienceMs)
  })
  try {
    return await Promise.race([what, late])
  } finally {
    clearTimeout(timer)
  }
}
