// Three NATS servers as deploy/ configures them: nats.conf beside the folder that make-secrets.sh makes. What is
// changed is what three on one machine must not have in common.

import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseNatsAddress, type NatsAddress } from '../../src/tracker/log/nats/nats-address.ts'
import { parseNatsCredentials } from '../../src/tracker/log/nats/nats-credentials.ts'
import { freePorts } from '../free-ports.ts'
import { natsProgram } from '../tracker/support/nats-server.ts'
import { deploy, read } from './deployed.ts'

/** Of JetStream in the cluster: a server says that it is the one, or who is. */
export const leaderIsThere =
  /Self is new JetStream cluster metadata leader|new metadata leader: nats-\d\/coterie/

export class DeployedServer {
  readonly name: string
  readonly #process: ChildProcess
  #log = ''
  #onNews = (): void => undefined

  constructor(name: string, conf: string) {
    this.name = name
    this.#process = spawn(natsProgram ?? '', ['-c', conf], {
      env: { NATS_SERVER_NAME: name },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    this.#process.stderr?.on('data', (bytes: Buffer) => {
      this.#log += bytes.toString()
      this.#onNews()
    })
    this.#process.on('exit', () => this.#onNews())
  }

  /** What it logged first that is like this; waits for it. Rejects when the server ends before. */
  async said(what: RegExp): Promise<string> {
    for (;;) {
      const match = what.exec(this.#log)
      if (match !== null) return match[0]
      if (this.#process.exitCode !== null) throw new Error(`${this.name} ended: ${this.#log}`)
      await new Promise<void>((resolve) => (this.#onNews = resolve))
    }
  }

  async kill(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const exited = once(this.#process, 'exit')
    this.#process.kill('SIGKILL')
    await exited
  }
}

export class DeployedCluster {
  readonly folder: string
  readonly clientPorts: readonly number[]
  readonly routePorts: readonly number[]
  readonly servers: DeployedServer[] = []

  private constructor(folder: string, clientPorts: readonly number[], routePorts: readonly number[]) {
    this.folder = folder
    this.clientPorts = clientPorts
    this.routePorts = routePorts
  }

  /** Its passwords and its certificate are made; no server runs yet. */
  static async prepare(): Promise<DeployedCluster> {
    const folder = mkdtempSync(join(tmpdir(), 'coterie-deploy-'))
    const ports = await freePorts(6)
    const cluster = new DeployedCluster(folder, ports.slice(0, 3), ports.slice(3))
    copyFileSync(join(deploy, 'nats', 'make-secrets.sh'), join(folder, 'make-secrets.sh'))
    cluster.makeSecrets()
    return cluster
  }

  /** What the script says, and its exit code. */
  makeSecrets(...others: string[]): { said: string; code: number | null } {
    const routes = this.routePorts.map((port) => `127.0.0.1:${port}`)
    const made = spawnSync('sh', [join(this.folder, 'make-secrets.sh'), ...routes, ...others], {
      encoding: 'utf8',
    })
    return { said: made.stdout + made.stderr, code: made.status }
  }

  secret(name: string): string {
    return join(this.folder, 'secrets', name)
  }

  /** Resolves when they have elected who leads. */
  async start(): Promise<void> {
    for (const index of [0, 1, 2])
      this.servers.push(new DeployedServer(`nats-${index + 1}`, this.confOf(index)))
    await Promise.all(this.servers.map((server) => server.said(leaderIsThere)))
  }

  /** Writes what server number `index` runs with. */
  confOf(index: number): string {
    const store = join(this.folder, String(index))
    mkdirSync(store, { recursive: true })
    const changed = read('nats/nats.conf')
      .replace('listen: 0.0.0.0:4222', `listen: 127.0.0.1:${this.clientPorts[index]}`)
      .replace('listen: 0.0.0.0:6222', `listen: 127.0.0.1:${this.routePorts[index]}`)
      .replace('store_dir: /data', `store_dir: "${store}"`)
      .replaceAll(/\/etc\/nats\/secrets\/(\w+)/g, (_path, name: string) => JSON.stringify(this.secret(name)))
    const path = join(this.folder, `${index}.conf`)
    writeFileSync(path, isBefore210() ? changed.replace('sync_interval: always', '') : changed)
    return path
  }

  /** For one of the users, or for somebody without a password, who all know whose certificates are good. */
  address(user?: 'tracker' | 'admin'): NatsAddress {
    const hosts = this.clientPorts.map((port) => `127.0.0.1:${port}`)
    const ca = readFileSync(this.secret('ca'), 'utf8')
    const address = { ...parseNatsAddress(`tls://${hosts.join(',')}`), ca }
    if (user === undefined) return address
    const path = this.secret(user)
    return { ...address, ...parseNatsCredentials(readFileSync(path, 'utf8'), path) }
  }

  async close(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.kill()))
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** As the file says: it has a setting that 2.9 does not know, and says to remove it there. */
function isBefore210(): boolean {
  const { stdout } = spawnSync(natsProgram ?? '', ['--version'], { encoding: 'utf8' })
  return /v2\.[0-9]\./.test(stdout)
}
