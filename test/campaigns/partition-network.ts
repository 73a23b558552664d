// Builds a network of namespaces on this machine: a bridge between trackers and NATS servers, and a way to take one of
// them off it silently, as a failing switch would. Needs root and `ip netns` (Linux).

import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { ip, Namespaces } from '../namespaces.ts'

const subnetBits = 24

/** The NATS servers share a namespace, tracker 2 has its own, and tracker 1 has none. Tracker 2 can be cut off. */
export class PartitionNetwork {
  readonly #namespaces = new Namespaces()
  /** Random third parts of the addresses, which few networks have. */
  readonly #subnet = `10.213.${randomBytes(1)[0]}`
  readonly #clientSubnet = `10.214.${randomBytes(1)[0]}`
  readonly natsHost = `${this.#subnet}.1`
  /** Where clients reach tracker 2, even while it is off the bridge. */
  readonly farHost = `${this.#clientSubnet}.2`

  /** The network, or why there can be none. */
  static open(): { network: PartitionNetwork } | { why: string } {
    const network = new PartitionNetwork()
    // The bridge and its cables lie outside of all namespaces.
    process.once('exit', () => network.close())
    try {
      network.#make()
      return { network }
    } catch (error) {
      network.close()
      return { why: `this needs root and network namespaces: ${(error as Error).message}` }
    }
  }

  /** Put before a command, runs it where the NATS servers are. */
  get atNats(): string[] {
    return this.#namespaces.at('n')
  }

  /** Put before a command, runs it where tracker 2 is. */
  get atFar(): string[] {
    return this.#namespaces.at('t')
  }

  /** Silently loses all packets between tracker 2 and NATS from now on. */
  cut(): void {
    ip('link', 'set', this.#name('tb'), 'nomaster')
  }

  heal(): void {
    ip('link', 'set', this.#name('tb'), 'master', this.#name('b'))
  }

  /** Removes everything, even if only half made. */
  close(): void {
    this.#namespaces.close()
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
      this.#namespaces.add(part)
      this.#plug(part, `${part}b`, 'log0', host)
      ip('link', 'set', this.#name(`${part}b`), 'master', bridge)
    }
    this.#plug('t', 'tc', 'clients0', this.farHost)
    ip('addr', 'add', `${this.#clientSubnet}.1/${subnetBits}`, 'dev', this.#name('tc'))
  }

  /** Connects this side with a namespace by a virtual cable (veth). */
  #plug(part: string, near: string, far: string, host: string): void {
    const name = this.#name(near)
    ip('link', 'add', name, 'type', 'veth', 'peer', 'name', far, 'netns', this.#name(part))
    ip('link', 'set', name, 'up')
    this.#namespaces.ip(part, 'addr', 'add', `${host}/${subnetBits}`, 'dev', far)
    this.#namespaces.ip(part, 'link', 'set', far, 'up')
  }

  #name(part: string): string {
    return this.#namespaces.name(part)
  }
}

function quietly(...words: readonly string[]): void {
  spawnSync('ip', words, { stdio: 'ignore' })
}
