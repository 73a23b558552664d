// A Debian in a folder, booted: its own systemd as process number 1, its own network with loopback alone. Made by
// systemd-nspawn (Debian's systemd-container); nothing of this machine changes by it. Linux, as root.

import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { path } from './confined-root.ts'
import { forkedBy, patienceMs, runToEnd, startInside, type Ran, type Running } from './running.ts'

/** A user of the booted machine, who has a service manager of their own. */
export interface Person {
  readonly name: string
  readonly uid: number
}

/** What systemd says first. */
const began = /systemd \S+ running in system mode/
/** The last of what a machine without screens waits for. */
const isUp = /Reached target .*multi-user/

/**
 * Where this machine has no systemd itself, nobody else makes a control group for it; without one, two that are booted at the
 * same time would have one in common, and stop each other's services.
 */
const inOwnGroup = `
if [ -d /run/systemd/system ]; then exec systemd-nspawn "$@"; fi
for place in /sys/fs/cgroup /sys/fs/cgroup/unified /sys/fs/cgroup/systemd; do
  [ ! -e "$place/cgroup.procs" ] || { mkdir "$place/$0" && echo $$ >"$place/$0/cgroup.procs"; }
done
exec systemd-nspawn --keep-unit "$@"`

export class BootedDebian {
  readonly root: string
  readonly #nspawn: Running
  readonly #group: string
  readonly #pid: number
  readonly #onExit: () => void

  private constructor(root: string, nspawn: Running, group: string) {
    this.root = root
    this.#group = group
    this.#nspawn = nspawn
    this.#pid = forkedBy(nspawn.child)
    // It outlives whoever started it, also when that has a bug.
    this.#onExit = () => this.#switchOff()
    process.once('exit', this.#onExit)
  }

  /** Resolves when everything that it starts at boot is there; to why it cannot be booted here, in a word. */
  static async boot(root: string): Promise<BootedDebian | { readonly why: string }> {
    if (spawnSync('systemd-nspawn', ['--version']).status !== 0)
      return { why: 'needs systemd-nspawn: apt-get install systemd-container' }
    // Newer releases boot with nothing but the second kind of control groups, whatever this machine has.
    const env = { ...process.env, SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: '1' }
    const group = `coterie-${randomBytes(4).toString('hex')}`
    const options = ['--boot', '--register=no', '--private-network', '--console=read-only']
    const nspawn = startInside('sh', ['-c', inOwnGroup, group, ...options, `--directory=${root}`], env)
    try {
      await nspawn.hears(began)
    } catch {
      removeGroup(group)
      return { why: `systemd-nspawn cannot boot a Debian here: ${nspawn.said.trim().split('\n').at(-1)}` }
    }
    const booted = new BootedDebian(root, nspawn, group)
    try {
      await nspawn.hears(isUp)
    } catch (error) {
      await booted.cut()
      throw error
    }
    return booted
  }

  /** Runs a command to its end, as root or as a person who is logged in. */
  run(words: readonly string[], how: { as?: Person; env?: Readonly<Record<string, string>> } = {}): Ran {
    return runToEnd('nsenter', this.#enter(words, how))
  }

  /** Resolves when the journal of this start of the machine has it, among what matches: `_PID=7`. */
  async untilJournal(match: string, what: RegExp): Promise<void> {
    const words = ['journalctl', '--boot', '--follow', '--lines=all', '--output=cat', match]
    const journal = startInside('nsenter', this.#enter(words, {}))
    await journal.hears(what)
    await journal.end()
  }

  /** Resolves when something of this name has come; rejects when that takes far too long. `name`: within its root. */
  async untilThere(name: string): Promise<void> {
    const lastMs = performance.now() + patienceMs
    while (!existsSync(join(this.root, name))) {
      if (performance.now() > lastMs) throw new Error(`in a minute there was no ${name}`)
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  /** As by its switch; resolves to whether it went in good order. */
  async shutDown(): Promise<boolean> {
    this.#nspawn.child.kill('SIGTERM')
    return (await this.#end()) === 0
  }

  /** As without power, if it still runs. */
  async cut(): Promise<void> {
    const { child } = this.#nspawn
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = this.#end()
    this.#switchOff()
    await ended
  }

  /** Its process number 1, with which all others go: they outlive systemd-nspawn itself. */
  #switchOff(): void {
    try {
      process.kill(this.#pid, 'SIGKILL')
    } catch {
      // It has ended already.
    }
  }

  async #end(): Promise<number | null> {
    const [code] = (await once(this.#nspawn.child, 'close')) as [number | null]
    process.off('exit', this.#onExit)
    removeGroup(this.#group)
    return code
  }

  #enter(words: readonly string[], { as, env = {} }: Parameters<BootedDebian['run']>[1] & object): string[] {
    const own =
      as === undefined
        ? {}
        : { HOME: `/home/${as.name}`, XDG_RUNTIME_DIR: `/run/user/${as.uid}`, USER: as.name }
    const variables = Object.entries({ PATH: path, LC_ALL: 'C.UTF-8', ...own, ...env })
    const who = as === undefined ? [] : ['setpriv', `--reuid=${as.uid}`, `--regid=${as.uid}`, '--init-groups']
    const clean = ['env', '-i', ...variables.map(([name, value]) => `${name}=${value}`)]
    return ['--target', String(this.#pid), '--all', ...clean, ...who, ...words]
  }
}

function removeGroup(group: string): void {
  for (const hierarchy of ['', 'unified', 'systemd']) {
    const place = join('/sys/fs/cgroup', hierarchy, group)
    if (existsSync(place)) spawnSync('find', [place, '-depth', '-type', 'd', '-delete'])
  }
}
