// A machine (a network namespace) that reaches nothing but the npm registry: it has loopback alone, and there a proxy, which
// lets through what is for the registry's host and counts and refuses all else. Linux, root.

import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { Namespaces } from '../namespaces.ts'

/** How npm reaches the registry here. */
export interface Way {
  readonly registry: URL
  /** The proxy that this machine needs for it. */
  readonly proxy?: URL | undefined
  /** A file of certificates. */
  readonly cafile?: string | undefined
}

/** As npm is configured. */
export function wayToRegistry(): Way {
  const words = ['config', 'get', 'registry', 'cafile', 'https-proxy', 'proxy']
  const { stdout } = spawnSync('npm', words, { encoding: 'utf8' })
  const found = new Map((stdout ?? '').split('\n').map((line) => line.split(/=(.*)/s) as [string, string]))
  const valueOf = (name: string): string | undefined =>
    ['', 'null', 'undefined'].includes(found.get(name) ?? '') ? undefined : found.get(name)
  const env = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy'].map((name) => process.env[name])
  const proxy = [valueOf('https-proxy'), valueOf('proxy'), ...env].find(Boolean)
  return {
    registry: new URL(valueOf('registry') ?? 'https://registry.invalid'),
    proxy: proxy === undefined ? undefined : new URL(proxy),
    cafile: valueOf('cafile'),
  }
}

/** What listens in the namespace; a socket in the file system has no network, so it leads out of it. */
const doorway = `
const net = require('node:net')
net.createServer((inner) => {
  const outer = net.connect(process.argv[1])
  for (const [from, to] of [[inner, outer], [outer, inner]]) from.on('error', () => to.destroy()).pipe(to)
}).listen(0, '127.0.0.1', function () { console.log(this.address().port) })
`

export class RegistryOnly {
  /** Whom somebody asked for beside the registry: `host:port`. */
  readonly refused: string[] = []
  /** So many connections, or requests without TLS, went to the registry. */
  letThrough = 0
  readonly #way: Way
  readonly #spaces = new Namespaces()
  readonly #proxy: Server
  #door: ChildProcess | undefined
  #port = ''

  private constructor(way: Way) {
    this.#way = way
    this.#proxy = createServer((asked, answer) => this.#onRequest(asked, answer))
    this.#proxy.on('connect', (asked, socket) => this.#onConnect(asked, socket))
  }

  /** `folder`: for a socket. */
  static async open(folder: string, way: Way): Promise<RegistryOnly> {
    const machine = new RegistryOnly(way)
    machine.#spaces.add('npm')
    const path = join(folder, 'proxy.sock')
    await once(machine.#proxy.listen(path), 'listening')
    const [command = '', ...words] = machine.at
    machine.#door = spawn(command, [...words, process.execPath, '-e', doorway, path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [port] = (await once(machine.#door.stdout as NodeJS.ReadableStream, 'data')) as [Buffer]
    machine.#port = port.toString().trim()
    return machine
  }

  /** Put before a command, runs it on that machine. */
  get at(): string[] {
    return this.#spaces.at('npm')
  }

  /** The settings of npm there. */
  get env(): Record<string, string> {
    const proxy = `http://127.0.0.1:${this.#port}`
    const { registry, cafile } = this.#way
    return {
      npm_config_registry: registry.href,
      npm_config_https_proxy: proxy,
      npm_config_proxy: proxy,
      npm_config_noproxy: '',
      ...(cafile === undefined ? {} : { npm_config_cafile: cafile }),
    }
  }

  close(): void {
    this.#door?.kill('SIGKILL')
    this.#proxy.close()
    this.#proxy.closeAllConnections()
    this.#spaces.close()
  }

  /** For a registry with TLS. */
  #onConnect({ url: target = '' }: IncomingMessage, socket: Duplex): void {
    if (!this.#mayPass(target)) return void socket.end('HTTP/1.1 403 Forbidden\r\n\r\n')
    const onReady = (far: Duplex): void => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      for (const [from, to] of [
        [socket, far],
        [far, socket],
      ] as const)
        from.on('error', () => to.destroy()).pipe(to)
    }
    const { proxy } = this.#way
    if (proxy === undefined) {
      const { hostname, port } = new URL(`https://${target}`)
      const far = connect(Number(port || 443), hostname, () => onReady(far))
      far.on('error', () => socket.destroy())
      return
    }
    const further = request({ ...partsOf(proxy), method: 'CONNECT', path: target, headers: loginAt(proxy) })
    further.on('connect', (_, far) => onReady(far)).on('error', () => socket.destroy())
    further.on('response', () => socket.destroy()).end()
  }

  /** For a registry without TLS. */
  #onRequest(asked: IncomingMessage, answer: ServerResponse): void {
    const target = new URL(asked.url ?? '/', 'http://nobody.invalid')
    if (!this.#mayPass(`${target.hostname}:${target.port || 80}`)) return void answer.writeHead(403).end()
    const { proxy } = this.#way
    const [to, path] = proxy === undefined ? [target, target.pathname + target.search] : [proxy, target.href]
    const headers = { ...asked.headers, ...(proxy === undefined ? {} : loginAt(proxy)) }
    const further = request({ ...partsOf(to), method: asked.method ?? 'GET', path, headers }, (far) => {
      answer.writeHead(far.statusCode ?? 502, far.headers)
      far.pipe(answer)
    })
    further.on('error', () => answer.destroy())
    asked.pipe(further)
  }

  #mayPass(target: string): boolean {
    const { hostname, port, protocol } = this.#way.registry
    const mayPass = target === `${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`
    if (mayPass) this.letThrough++
    else this.refused.push(target)
    return mayPass
  }
}

function partsOf({ hostname, port }: URL): { host: string; port: number } {
  return { host: hostname, port: Number(port || 80) }
}

function loginAt({ username, password }: URL): Record<string, string> {
  if (username === '') return {}
  const words = [username, password].map(decodeURIComponent).join(':')
  return { 'proxy-authorization': `Basic ${Buffer.from(words).toString('base64')}` }
}
