// One connection of the load generator: sends raw lines, and counts and times answers without parsing them.

import { connect, type Socket } from 'node:net'
import { once } from 'node:events'
import { scramIterationsMin } from '../../src/common/limits.ts'
import { makeNonce, proveLoginKey } from '../../src/common/security/challenge.ts'
import { makeIdentity } from '../../src/common/security/identity.ts'
import { credentialsOf, deriveKeys, ScramClient } from '../../src/common/security/scram.ts'
import { protocolVersion } from '../../src/common/version.ts'

export const user = 'bench'
const identity = makeIdentity()
/** Derived once, with the fewest iterations: the benchmark measures the tracker, not this. */
const keys = deriveKeys('bench', Buffer.alloc(16, 7).toString('base64'), scramIterationsMin)

const newline = 0x0a

export class TrackerUser {
  readonly #socket: Socket
  /** When each unanswered request was sent, oldest first: answers come in this order. */
  readonly #sentAtMs: number[] = []
  /** Receives the text of the answer that `ask` waits for. */
  #onText: ((line: string) => void) | undefined
  #onAnswered: ((latencyMs: number) => void) | undefined
  #nextId = 0
  #partial = ''
  #outbox = ''
  refusals = 0

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('data', (bytes: Buffer) => this.#onBytes(bytes))
    socket.on('error', (error) => {
      throw error
    })
  }

  static async connect(port: number): Promise<TrackerUser> {
    const socket = connect({ host: '127.0.0.1', port })
    await once(socket, 'connect')
    return new TrackerUser(socket)
  }

  async register(): Promise<void> {
    await this.#hello()
    await this.ask('register', { id: makeNonce(), user, ...credentialsOf(await keys) })
  }

  async login(): Promise<void> {
    const greeting = await this.#hello()
    const scram = new ScramClient(user, makeNonce())
    const { serverFirst } = await this.ask('login_start', { clientFirst: scram.clientFirst })
    await this.ask('login_finish', {
      clientFinal: await scram.clientFinal(String(serverFirst), () => keys),
      key: identity.publicKey,
      proof: proveLoginKey(identity, String(greeting['nonce']), String(greeting['key']), user),
      port: 4444,
    })
  }

  /** Sends one request and returns its result. Throws when it is refused. */
  async ask(method: string, params: object): Promise<Record<string, unknown>> {
    const text = await new Promise<string>((resolve) => {
      this.#partial = ''
      this.#onText = resolve
      this.send(`"method":"${method}","params":${JSON.stringify(params)}`)
      this.flush()
    })
    const message = JSON.parse(text) as { result?: Record<string, unknown>; error?: { message: string } }
    if (message.result === undefined) throw new Error(`${method}: ${message.error?.message}`)
    return message.result
  }

  /** From now on reports the latency of each answer and drops its text. */
  measure(onAnswered: ((latencyMs: number) => void) | undefined): void {
    this.#onText = undefined
    this.#onAnswered = onAnswered
  }

  get inFlight(): number {
    return this.#sentAtMs.length
  }

  /** Adds a request to the next write; `rest` is everything after its id. */
  send(rest: string): void {
    this.#outbox += `{"jsonrpc":"2.0","id":${this.#nextId++},${rest}}\n`
    this.#sentAtMs.push(performance.now())
  }

  flush(): void {
    if (this.#outbox === '') return
    this.#socket.write(this.#outbox)
    this.#outbox = ''
  }

  close(): void {
    this.#socket.destroy()
  }

  async #hello(): Promise<Record<string, unknown>> {
    return this.ask('hello', { protocol: protocolVersion, program: 'bench' })
  }

  #onBytes(bytes: Buffer): void {
    if (this.#onText !== undefined) {
      this.#partial += bytes.toString()
      if (!this.#partial.endsWith('\n')) return
      this.#sentAtMs.length = 0
      this.#onText(this.#partial)
      return
    }
    if (bytes.includes('"error"')) this.refusals++
    const nowMs = performance.now()
    for (let at = bytes.indexOf(newline); at !== -1; at = bytes.indexOf(newline, at + 1)) {
      const sentAtMs = this.#sentAtMs.shift() ?? nowMs
      this.#onAnswered?.(nowMs - sentAtMs)
    }
    this.flush()
  }
}
