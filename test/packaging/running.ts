// Programs in namespaces of their own: those that have ended, and those that go on.

import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'

/** Far longer than anything here takes, also on a machine that is busy with other tests. */
export const patienceMs = 60_000

export interface Ran {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A program that goes on, and all that it has said so far. */
export interface Running {
  readonly child: ChildProcess
  said: string
  /** Resolves when it has said this; rejects when it ends before, or takes far too long. */
  hears(what: RegExp): Promise<void>
  /** Ends it as a service manager does, and resolves to its exit code. */
  end(): Promise<number | null>
}

/** Runs a command to its end. */
export function runToEnd(command: string, words: readonly string[], input = ''): Ran {
  const { status, stdout, stderr } = spawnSync(command, words, {
    input,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  })
  return { status, stdout, stderr }
}

/** Starts what enters namespaces and runs one program in them. */
export function startInside(
  command: string,
  words: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Running {
  const child = spawn(command, words, { env, stdio: ['pipe', 'pipe', 'pipe'] })
  // What is not there ends too, without an output.
  child.on('error', () => undefined)
  const running: Running = {
    child,
    said: '',
    hears: (what) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (what.test(running.said)) resolve()
        }
        child.stdout.on('data', look)
        child.stderr.on('data', look)
        const fail = (why: string): void => reject(new Error(`${why}, and said: ${running.said}`))
        child.once('close', () => fail('it ended'))
        setTimeout(() => fail(`in a minute it did not say ${what}`), patienceMs).unref()
        look()
      }),
    end: async () => {
      if (child.exitCode !== null) return child.exitCode
      const closed = once(child, 'close') as Promise<[number | null]>
      process.kill(forkedBy(child), 'SIGTERM')
      const [code] = await closed
      return code
    },
  }
  const add = (bytes: Buffer): void => void (running.said += bytes.toString())
  child.stdout.on('data', add)
  child.stderr.on('data', add)
  return running
}

/** What enters the namespaces is one process, and what runs in them is its child, to which signals have to go. */
export function forkedBy({ pid }: ChildProcess): number {
  const [forked = ''] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ')
  return Number(forked)
}
