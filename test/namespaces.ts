// Network namespaces (Linux, root): machines with networks of their own inside this one, of which nothing is seen outside.
// Their names are unique to the run, and they go with the process, however it ends.

import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'

/** Node has no sockets that see every frame, Python does. Writes them to a file until it is ended. */
const recorder = `
import socket, sys
frames = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
frames.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)
with open(sys.argv[1], 'wb', buffering=0) as file:
    print('recording', flush=True)
    while True: file.write(frames.recv(1 << 17))
`

/** Why there can be none here, in a word; undefined where there can. */
export function whyNoNamespaces(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'it needs Linux and root'
  if (spawnSync('ip', ['-V']).status !== 0) return 'it needs ip: install the package iproute2'
  const spaces = new Namespaces()
  try {
    spaces.add('probe')
    return undefined
  } catch (error) {
    return `no network namespaces can be made: ${(error as Error).message}`
  } finally {
    spaces.close()
  }
}

export class Namespaces {
  readonly #tag = randomBytes(3).toString('hex')
  readonly #names = new Set<string>()

  constructor() {
    // Namespaces outlive processes, also when a run is stopped or has a bug.
    process.once('exit', () => this.close())
  }

  /** Makes the namespace of a machine, with a loopback device. Throws when that cannot be done. */
  add(machine: string): void {
    const name = this.name(machine)
    this.#names.add(name)
    ip('netns', 'add', name)
    ip('-n', name, 'link', 'set', 'lo', 'up')
  }

  /** What the system calls the namespace, or a device of this run. */
  name(machine: string): string {
    return `cot${this.#tag}${machine}`
  }

  /** Put before a command, runs it on that machine. */
  at(machine: string): string[] {
    return ['ip', 'netns', 'exec', this.name(machine)]
  }

  /** Runs `ip` for that machine. Throws when it fails. */
  ip(machine: string, ...words: readonly string[]): void {
    ip('-n', this.name(machine), ...words)
  }

  /** Changes a setting of the kernel for that machine alone: `net.ipv4.ip_forward=1`. Throws when that cannot be done. */
  set(machine: string, setting: string): void {
    run('ip', 'netns', 'exec', this.name(machine), 'sysctl', '-qw', setting)
  }

  /**
   * Connects two machines by a virtual cable (veth); each says what its end is called. Both ends are up and have no
   * address yet.
   */
  plug([near, nearEnd]: readonly [string, string], [far, farEnd]: readonly [string, string]): void {
    const peer = ['peer', 'name', farEnd, 'netns', this.name(far)]
    this.ip(near, 'link', 'add', nearEnd, 'type', 'veth', ...peer)
    this.ip(near, 'link', 'set', nearEnd, 'up')
    this.ip(far, 'link', 'set', farEnd, 'up')
  }

  /** Removes everything, even if only half made. */
  close(): void {
    for (const name of this.#names) spawnSync('ip', ['netns', 'del', name], { stdio: 'ignore' })
    this.#names.clear()
  }
}

/** All frames that a machine sends, receives or passes on, in a file. Needs Python. */
export class Recording {
  readonly path: string
  readonly #child: ChildProcess

  private constructor(path: string, child: ChildProcess) {
    this.path = path
    this.#child = child
  }

  /** Resolves when nothing escapes it any more. `at`: puts a command on that machine. */
  static async start(at: readonly string[], path: string): Promise<Recording> {
    const words = [...at, 'python3', '-c', recorder, path]
    const child = spawn('env', words, { stdio: ['ignore', 'pipe', 'ignore'] })
    const [said] = (await Promise.race([once(child.stdout, 'data'), once(child, 'close')])) as [unknown]
    if (!Buffer.isBuffer(said)) throw new Error('nothing records what passes')
    return new Recording(path, child)
  }

  /** What has passed, once it holds this. */
  async until(holds: (bytes: Buffer) => boolean): Promise<Buffer> {
    for (;;) {
      const bytes = readFileSync(this.path)
      if (holds(bytes)) return bytes
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  stop(): void {
    this.#child.kill('SIGKILL')
  }
}

/** Runs `ip`. Throws with its own words when it fails. */
export function ip(...words: readonly string[]): void {
  run('ip', ...words)
}

/** Runs a command to its end; what it prints. Throws with its own words when it fails. */
export function run(command: string, ...words: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, words, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${words.join(' ')}: ${error?.message ?? stderr.trim()}`)
  return stdout
}
