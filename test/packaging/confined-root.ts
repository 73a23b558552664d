// A folder that programs take for their whole machine: its root, its own network with loopback alone, its own processes.
// Nothing of this machine changes by what they do. Linux, as root.

import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { forkedBy, runToEnd, startInside, type Ran, type Running } from './running.ts'

/** What the namespaces are; those of the files too, since /proc has to be that of the processes. */
const apart = ['--net', '--mount', '--pid', '--fork', '--kill-child']

/** Why it cannot be done here, for the titles of tests; empty where it can. */
export const noConfinement = whyNot()

function whyNot(): string {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return ' (skipped: needs Linux and root)'
  const tried = spawnSync('unshare', [...apart, 'sh', '-c', 'ip link set lo up && mount -t proc proc /proc'])
  return tried.status === 0 ? '' : ' (skipped: needs unshare, ip, mount, and the right to use them)'
}

interface How {
  /** `user:group`, names of the root or numbers; root's without one. */
  readonly user?: string | undefined
  /** The whole environment, apart from a path. */
  readonly env?: Readonly<Record<string, string>>
}

/** Where programs are, inside. */
export const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
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
    const running = startInside('unshare', [...apart, 'sh', '-c', script, 'sh', root, ...words])
    await running.hears(new RegExp(ready))
    return new ConfinedRoot(root, running, forkedBy(running.child))
  }

  /** Runs a command to its end. */
  run(words: readonly string[], how: How & { input?: string } = {}): Ran {
    return runToEnd('nsenter', this.#enter(words, how), how.input)
  }

  start(words: readonly string[], how: How = {}): Running {
    return startInside('nsenter', this.#enter(words, how))
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
