// Several machines in one network, as namespaces of this one. Needs root, `ip netns` (Linux), and Python to record what
// passes between them.

import { Namespaces, Recording, run } from '../namespaces.ts'

export class Machines {
  readonly #namespaces = new Namespaces()
  #recording: Recording | undefined

  /** A machine for each address, all in one network; or why there can be none. */
  static open(hosts: readonly string[]): { machines: Machines } | { why: string } {
    const machines = new Machines()
    try {
      machines.#make(hosts)
      run('python3', '--version')
      return { machines }
    } catch (error) {
      machines.close()
      return { why: `root, ip netns and python3 are needed: ${(error as Error).message}` }
    }
  }

  /** Put before a command, runs it on that machine. */
  at(host: string): string[] {
    return this.#namespaces.at(host)
  }

  /** Runs a command there to its end; what it prints. Throws when it fails. */
  run(host: string, ...words: readonly string[]): string {
    const [ip = '', ...inside] = this.at(host)
    return run(ip, ...inside, ...words)
  }

  /** Keeps all that passes the switch in a file. */
  async record(path: string): Promise<Recording> {
    this.#recording = await Recording.start(this.at('switch'), path)
    return this.#recording
  }

  /** Removes everything, even if only half made. */
  close(): void {
    this.#recording?.stop()
    this.#namespaces.close()
  }

  #make(hosts: readonly string[]): void {
    const spaces = this.#namespaces
    for (const host of ['switch', ...hosts]) spaces.add(host)
    spaces.ip('switch', 'link', 'add', 'bridge0', 'type', 'bridge')
    spaces.ip('switch', 'link', 'set', 'bridge0', 'up')
    for (const [index, host] of hosts.entries()) {
      const port = `port${index}`
      spaces.plug(['switch', port], [host, 'eth0'])
      spaces.ip('switch', 'link', 'set', port, 'master', 'bridge0')
      spaces.ip(host, 'addr', 'add', `${host}/24`, 'dev', 'eth0')
    }
  }
}
