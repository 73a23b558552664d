// A network of namespaces on this machine: a bridge that trackers and NATS servers meet on, and a way to
// take one of them off it without a word, as a switch that fails would. Needs root and `ip netns` (Linux).

import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'

/** The servers of NATS, tracker 1 on this side of the bridge, and tracker 2, which can be cut off. */
const subnetBits = 24

export class PartitionNetwork {
  readonly #tag = randomBytes(3).toString('hex')
  /** Third parts of 10.x.y.z that few networks have. */
  readonly #subnet = `10.213.${randomBytes(1)[0]}`
  readonly #clientSubnet = `10.214.${randomBytes(1)[0]}`
  readonly natsHost = `${this.#subnet}.1`
  /** Where clients reach tracker 2, whatever becomes of the bridge. */
  readonly farHost = `${this.#clientSubnet}.2`

  /** Why there can be no such network; empty when there is one. */
  static open(): { network: PartitionNetwork } | { why: string } {
    const network = new PartitionNetwork()
    // Also when a campaign is stopped, or has a bug: namespaces outlive processes.
    process.once('exit', () => network.close())
    try {
      network.#make()
      return { network }
    } catch (error) {
      network.close()
      return { why: `this needs root and network namespaces: ${(error as Error).message}` }
    }
  }

  /** Put before a command, they run it where the servers of NATS, or tracker 2, are. */
  get atNats(): string[] {
    return ['ip', 'netns', 'exec', this.#name('n')]
  }

  get atFar(): string[] {
    return ['ip', 'netns', 'exec', this.#name('t')]
  }

  /** From here on what tracker 2 sends to NATS gets lost, and the other way; nobody is told. */
  cut(): void {
    ip('link', 'set', this.#name('tb'), 'nomaster')
  }

  heal(): void {
    ip('link', 'set', this.#name('tb'), 'master', this.#name('b'))
  }

  /** Removes all of it, also what was only half made. */
  close(): void {
    for (const part of ['n', 't']) quietly('netns', 'del', this.#name(part))
    for (const part of ['nb', 'tb', 'tc', 'b']) quietly('link', 'del', this.#name(part))
  }

  #make(): void {
    const bridge = this.#name('b')
    ip('link', 'add', bridge, 'type', 'bridge')
    ip('addr', 'add', `${this.#subnet}.3/${subnetBits}`, 'dev', bridge)
    ip('link', 'set', bridge, 'up')
    for (const [part, host] of [
      ['n', this.natsHost],
      ['t', `${this.#subnet}.2`],
    ] as const) {
      ip('netns', 'add', this.#name(part))
      ip('-n', this.#name(part), 'link', 'set', 'lo', 'up')
      this.#plug(part, `${part}b`, 'log0', host)
      ip('link', 'set', this.#name(`${part}b`), 'master', bridge)
    }
    this.#plug('t', 'tc', 'clients0', this.farHost)
    ip('addr', 'add', `${this.#clientSubnet}.1/${subnetBits}`, 'dev', this.#name('tc'))
  }

  /** A cable from here into a namespace. */
  #plug(part: string, near: string, far: string, host: string): void {
    const name = this.#name(near)
    ip('link', 'add', name, 'type', 'veth', 'peer', 'name', far, 'netns', this.#name(part))
    ip('link', 'set', name, 'up')
    ip('-n', this.#name(part), 'addr', 'add', `${host}/${subnetBits}`, 'dev', far)
    ip('-n', this.#name(part), 'link', 'set', far, 'up')
  }

  #name(part: string): string {
    return `cot${this.#tag}${part}`
  }
}

function ip(...words: readonly string[]): void {
  const { status, stderr, error } = spawnSync('ip', words, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`ip ${words.join(' ')}: ${error?.message ?? stderr.trim()}`)
}

function quietly(...words: readonly string[]): void {
  spawnSync('ip', words, { stdio: 'ignore' })
}
