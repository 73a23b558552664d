// A folder that programs take for their whole machine: its root, its own network with loopback alone, its own processes.
// Nothing of this machine changes by what they do. Linux, as root.

import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'

/** What the namespaces are; those of the files too, since /proc has to be that of the processes. */
const apart = ['--net', '--mount', '--pid', '--fork', '--kill-child']

/** Why it cannot be done here, for the titles of tests; empty where it can. */
export const noConfinement = whyNot()

function whyNot(): string {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return ' (skipped: needs Linux and root)'
  const tried = spawnSync('unshare', [...apart, 'sh', '-c', 'ip link set lo up && mount -t proc proc /proc'])
  return tried.status === 0 ? '' : ' (skipped: needs unshare, ip, mount, and the right to use them)'
}

export interface Ran {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

interface How {
  /** `user:group`, names of the root or numbers; root's without one. */
  readonly user?: string | undefined
  /** The whole environment, apart from a path. */
  readonly env?: Readonly<Record<string, string>>
}

/** A program that goes on, and all that it has said so far. */
export interface Running {
  readonly child: ChildProcess
  said: string
  /** Resolves when it has said this; rejects when it ends before. */
  hears(what: RegExp): Promise<void>
  /** Ends it as a service manager does, and resolves to its exit code. */
  end(): Promise<number | null>
}

const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
const ready = 'the root is ready'

export class ConfinedRoot {
  readonly root: string
  /** What runs as process number 1. */
  readonly first: Running
  readonly #pid: number

  private constructor(root: string, first: Running, pid: number) {
    this.root = root
    this.first = first
    this.#pid = pid
  }

  /**
   * `first`: what process number 1 runs in the root, by default nothing but waiting. `prepare`: what to do before, in a
   * shell that sees the root as `$root`. Rejects when the namespaces cannot be made.
   */
  static async open(
    root: string,
    { first, prepare = '' }: { first?: { words: readonly string[] } & How; prepare?: string } = {},
  ): Promise<ConfinedRoot> {
    const wait = ['sh', '-c', 'exec sleep infinity']
    const words = first === undefined ? wait : inRoot(root, first.words, first)
    const script = `set -e; root=$1; shift; ip link set lo up; ${prepare}
mount -t proc proc "$root/proc"; echo '${ready}'; exec "$@"`
    const running = follow(spawn('unshare', [...apart, 'sh', '-c', script, 'sh', root, ...words]))
    await running.hears(new RegExp(ready))
    return new ConfinedRoot(root, running, forkedBy(running.child))
  }

  /** Runs a command to its end. */
  run(words: readonly string[], how: How & { input?: string } = {}): Ran {
    const { status, stdout, stderr } = spawnSync('nsenter', this.#enter(words, how), {
      input: how.input ?? '',
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    })
    return { status, stdout, stderr }
  }

  start(words: readonly string[], how: How = {}): Running {
    return follow(spawn('nsenter', this.#enter(words, how)))
  }

  /** To process number 1. */
  signal(signal: NodeJS.Signals): void {
    process.kill(this.#pid, signal)
  }

  /** Ends all processes in it. */
  async close(): Promise<void> {
    if (this.first.child.exitCode !== null || this.first.child.signalCode !== null) return
    const closed = once(this.first.child, 'close')
    this.first.child.kill('SIGKILL')
    await closed
  }

  #enter(words: readonly string[], how: How): string[] {
    return ['--target', String(this.#pid), '--net', '--mount', '--pid', ...inRoot(this.root, words, how)]
  }
}

function inRoot(root: string, words: readonly string[], { user, env = {} }: How): string[] {
  const variables = Object.entries({ PATH: path, ...env }).map(([name, value]) => `${name}=${value}`)
  const who = user === undefined ? [] : [`--userspec=${user}`]
  // What reads the system's users by name needs its root first.
  return ['env', '-i', ...variables, 'chroot', ...who, root, ...words]
}

function follow(child: ChildProcess): Running {
  const running: Running = {
    child,
    said: '',
    hears: (what) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (what.test(running.said)) resolve()
        }
        child.stdout?.on('data', look)
        child.stderr?.on('data', look)
        child.once('close', () => reject(new Error(`it ended, and said: ${running.said}`)))
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
  child.stdout?.on('data', add)
  child.stderr?.on('data', add)
  return running
}

/** What enters the namespaces is one process, and what runs in them is its child, to which signals have to go. */
function forkedBy({ pid }: ChildProcess): number {
  const [forked = ''] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ')
  return Number(forked)
}
