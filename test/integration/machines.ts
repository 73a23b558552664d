// Several machines in one network, as namespaces of this one: nothing of it is seen outside of them. Needs root,
// `ip netns` (Linux), and Python to record what passes between them: Node has no sockets for that.

import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'

/** Writes every frame that passes the switch to a file, until it is ended. */
const recorder = `
import socket, sys
frames = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
frames.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)
with open(sys.argv[1], 'wb', buffering=0) as file:
    print('recording', flush=True)
    while True: file.write(frames.recv(1 << 17))
`

export class Machines {
  readonly #tag = randomBytes(3).toString('hex')
  readonly #names: string[] = []
  #recording: ChildProcess | undefined

  /** A machine for each address, all in one network; or why there can be none. */
  static open(hosts: readonly string[]): { machines: Machines } | { why: string } {
    const machines = new Machines()
    // Namespaces outlive processes, also when a test is stopped or has a bug.
    process.once('exit', () => machines.close())
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
    return ['ip', 'netns', 'exec', this.#name(host)]
  }

  /** Keeps all that passes the switch in a file. */
  async record(path: string): Promise<void> {
    const words = [...this.at('switch'), 'python3', '-c', recorder, path]
    const child = spawn('env', words, { stdio: ['ignore', 'pipe', 'ignore'] })
    this.#recording = child
    const [said] = (await Promise.race([once(child.stdout, 'data'), once(child, 'close')])) as [unknown]
    if (!Buffer.isBuffer(said)) throw new Error('nothing records what passes the switch')
  }

  /** What has passed, once it holds this. */
  async passed(path: string, holds: (bytes: Buffer) => boolean): Promise<Buffer> {
    for (;;) {
      const bytes = readFileSync(path)
      if (holds(bytes)) return bytes
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  /** Removes everything, even if only half made. */
  close(): void {
    this.#recording?.kill('SIGKILL')
    for (const name of this.#names.splice(0)) spawnSync('ip', ['netns', 'del', name], { stdio: 'ignore' })
  }

  #make(hosts: readonly string[]): void {
    for (const host of ['switch', ...hosts]) {
      this.#names.push(this.#name(host))
      ip('netns', 'add', this.#name(host))
      ip('-n', this.#name(host), 'link', 'set', 'lo', 'up')
    }
    const there = ['-n', this.#name('switch'), 'link']
    ip(...there, 'add', 'bridge0', 'type', 'bridge')
    ip(...there, 'set', 'bridge0', 'up')
    for (const [index, host] of hosts.entries()) {
      const [port, own] = [`port${index}`, this.#name(host)]
      ip(...there, 'add', port, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', own)
      ip(...there, 'set', port, 'master', 'bridge0', 'up')
      ip('-n', own, 'addr', 'add', `${host}/24`, 'dev', 'eth0')
      ip('-n', own, 'link', 'set', 'eth0', 'up')
    }
  }

  #name(host: string): string {
    return `cot${this.#tag}-${host}`
  }
}

function ip(...words: readonly string[]): void {
  run('ip', ...words)
}

function run(command: string, ...words: readonly string[]): void {
  const { status, stderr, error } = spawnSync(command, words, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${words.join(' ')}: ${error?.message ?? stderr.trim()}`)
}
