// Real nats-servers on free ports of this machine, alone or as a cluster, with their data in a folder that
// the caller removes. They are killed as a power failure of one machine would end them, and started again.

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'
import { freePorts } from '../../free-ports.ts'

/** Debian puts it where only root's PATH looks. */
const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/bin']
export const natsProgram = folders
  .map((folder) => join(folder, 'nats-server'))
  .find((path) => existsSync(path))

/** Why tests with NATS are skipped, as the end of a title: the gate shows it. Empty when they are not. */
export const natsIsMissing =
  natsProgram === undefined
    ? ' (skipped: nats-server is not installed; on Debian, apt-get install nats-server)'
    : ''

export interface NatsServerOptions {
  readonly name: string
  readonly folder: string
  readonly port: number
  /** Of the cluster: the own route's port first. */
  readonly routes?: readonly number[]
  readonly host?: string
  readonly hosts?: readonly string[]
  /** Put before the command, `ip netns exec …` for example. */
  readonly within?: readonly string[]
  readonly words?: readonly string[]
  readonly hasJetStream?: boolean
}

const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

export class NatsServer {
  readonly name: string
  readonly address: string
  readonly #command: readonly string[]
  #process: ChildProcess | undefined
  /** What it logged since it was started last. */
  log = ''

  constructor(options: NatsServerOptions) {
    const { name, folder, port, host = '127.0.0.1', routes = [], hosts = routes.map(() => host) } = options
    this.name = name
    this.address = `${host}:${port}`
    const [own] = routes
    const cluster =
      own === undefined
        ? []
        : [
            ...['--cluster', `nats://${host}:${own}`, '--cluster_name', 'test'],
            ...['--routes', routes.map((route, at) => `nats://${hosts[at] ?? host}:${route}`).join(',')],
          ]
    this.#command = [
      ...(options.within ?? []),
      natsProgram ?? 'nats-server',
      ...['-n', name, '-a', host, '-p', String(port)],
      ...(options.hasJetStream === false ? [] : ['-js', '-sd', join(folder, name)]),
      ...cluster,
      ...(options.words ?? []),
    ]
  }

  /** Resolves when it takes connections; a cluster elects its leader some seconds later. */
  async start(): Promise<void> {
    const [command = '', ...words] = this.#command
    const child = spawn(command, words, { stdio: ['ignore', 'ignore', 'pipe'] })
    this.#process = child
    running.add(child)
    child.once('close', () => running.delete(child))
    this.log = ''
    const lines = createInterface({ input: child.stderr })
    await new Promise<void>((resolve, reject) => {
      lines.on('line', (line) => {
        this.log += `${line}\n`
        if (line.includes('Server is ready')) resolve()
      })
      child.on('error', reject)
      child.on('close', () => reject(new Error(`${this.name} ended:\n${this.log}`)))
    })
  }

  async kill(): Promise<void> {
    const child = this.#process
    this.#process = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'close')
  }
}

/** One server alone; it answers at once. */
export async function startNats(
  folder: string,
  options: Pick<NatsServerOptions, 'words' | 'hasJetStream'> = {},
): Promise<NatsServer> {
  const [port = 0] = await freePorts(1)
  const server = new NatsServer({ name: 'alone', folder, port, ...options })
  await server.start()
  return server
}
