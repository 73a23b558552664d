// One connection of the load generators. Asks and reads answers, or sends raw lines and counts and times answers
// without parsing them.

import { connect, type Socket } from 'node:net'
import { once } from 'node:events'
import { scramIterationsMin } from '../../src/common/limits.ts'
import { makeNonce, proveLoginKey } from '../../src/common/security/challenge.ts'
import { makeIdentity, type Identity } from '../../src/common/security/identity.ts'
import { credentialsOf, deriveKeys, ScramClient, type Credentials } from '../../src/common/security/scram.ts'
import { protocolVersion } from '../../src/common/version.ts'

export interface Account {
  readonly user: string
  readonly identity: Identity
}

/** The account of a connection that does not log in. */
const nobody: Account = { user: '', identity: makeIdentity() }

/** Of all accounts here. Derived once, with the fewest iterations: the benchmark measures the tracker, not this. */
export const benchKeys = deriveKeys('bench', Buffer.alloc(16, 7).toString('base64'), scramIterationsMin)

/** What the tracker stores of the password that all accounts here have. */
export async function benchCredentials(): Promise<Credentials> {
  return credentialsOf(await benchKeys)
}

/** Without this capability, trackers of 2026 check each name in a listing and leave some out. */
export const helloParams = { protocol: protocolVersion, program: 'bench', capabilities: ['wide-names'] }

/** The answer to one request. A connection that ended has the code `closed`. */
export type Answered =
  | { readonly ok: true; readonly result: Record<string, unknown> }
  | { readonly ok: false; readonly code: number | 'closed'; readonly sentence: string }

const closed: Answered = { ok: false, code: 'closed', sentence: 'the connection ended' }
/** How often a refused login is tried, and the pause in between. */
const loginTries = 100
const loginPauseMs = 100

const newline = 0x0a
/** An answer's id and a notification's method are within this many first bytes. */
const headBytes = 64

export class TrackerUser {
  readonly account: Account
  readonly #socket: Socket
  /** By request id: who waits for the answer. */
  readonly #waiting = new Map<number, (answer: Answered) => void>()
  /** While measuring: when each unanswered request was sent, oldest first. Answers come in this order. */
  readonly #sentAtMs: number[] = []
  #onAnswered: ((latencyMs: number) => void) | undefined
  /** The start of a line whose end is yet to come. */
  #partial = Buffer.alloc(0)
  #nextId = 0
  #outbox = ''
  #isClosed = false
  /** While measuring: received chunks that contain a refusal, and the sentence of the first. */
  refusals = 0
  refusal: string | undefined
  /** Called once, when the connection ends other than by `close`; when unset, such an end throws. */
  onLost: (() => void) | undefined

  private constructor(socket: Socket, account: Account) {
    this.#socket = socket
    this.account = account
    socket.setNoDelay(true)
    socket.on('data', (bytes: Buffer) => this.#onBytes(bytes))
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#onClose())
  }

  static async connect(port: number, account: Account = nobody): Promise<TrackerUser> {
    const socket = connect({ host: '127.0.0.1', port })
    await once(socket, 'connect')
    return new TrackerUser(socket, account)
  }

  /** Connects and logs in; tries again after a pause while the tracker refuses. Throws after `triesMax` tries. */
  static async loggedIn(port: number, account: Account, triesMax = loginTries): Promise<TrackerUser> {
    for (let tries = 1; ; tries++) {
      const one = await TrackerUser.connect(port, account)
      one.onLost = () => undefined
      const problem = await one.#tryLogin()
      one.onLost = undefined
      if (problem === undefined) return one
      one.close()
      if (tries >= triesMax) throw new Error(`cannot log in: ${problem}`)
      await new Promise((resolve) => setTimeout(resolve, loginPauseMs))
    }
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  get bytesReceived(): number {
    return this.#socket.bytesRead
  }

  async register(): Promise<void> {
    await this.hello()
    await this.ask('register', { id: makeNonce(), user: this.account.user, ...(await benchCredentials()) })
  }

  async hello(): Promise<Record<string, unknown>> {
    return this.ask('hello', helloParams)
  }

  /** Sends one request and returns its result. Throws when it is refused. */
  async ask(method: string, params: object): Promise<Record<string, unknown>> {
    const answer = await this.request(method, params)
    if (!answer.ok) throw new Error(`${method}: ${answer.sentence}`)
    return answer.result
  }

  /** Sends one request at once, and resolves to its answer. Never rejects. */
  request(method: string, params: object): Promise<Answered> {
    return new Promise((resolve) => {
      if (this.#isClosed) return resolve(closed)
      const id = this.#nextId++
      this.#waiting.set(id, resolve)
      this.#socket.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`)
    })
  }

  /** From now on reports the latency of each answer and drops its text; `undefined` stops that. */
  measure(onAnswered: ((latencyMs: number) => void) | undefined): void {
    this.#onAnswered = onAnswered
  }

  get inFlight(): number {
    return this.#sentAtMs.length
  }

  /** While measuring: adds a request to the next write; `rest` is everything after its id. */
  send(rest: string): void {
    this.#outbox += `{"jsonrpc":"2.0","id":${this.#nextId++},${rest}}\n`
    this.#sentAtMs.push(performance.now())
  }

  flush(): void {
    if (this.#outbox === '') return
    this.#socket.write(this.#outbox)
    this.#outbox = ''
  }

  /** Settles waiting requests as closed and refuses new ones; the connection stays open. */
  giveUp(): void {
    this.#isClosed = true
    for (const resolve of this.#waiting.values()) resolve(closed)
    this.#waiting.clear()
  }

  /** Ends the connection as if the tracker had: `onLost` is called. */
  end(): void {
    this.#socket.destroy()
  }

  close(): void {
    this.giveUp()
    this.#socket.destroy()
  }

  /** Resolves to the sentence of a refusal; undefined when logged in. */
  async #tryLogin(): Promise<string | undefined> {
    const { user, identity } = this.account
    const greeting = await this.request('hello', helloParams)
    if (!greeting.ok) return greeting.sentence
    const scram = new ScramClient(user, makeNonce())
    const challenge = await this.request('login_start', { clientFirst: scram.clientFirst })
    if (!challenge.ok) return challenge.sentence
    const { nonce, key } = greeting.result
    const finished = await this.request('login_finish', {
      clientFinal: await scram.clientFinal(String(challenge.result['serverFirst']), () => benchKeys),
      key: identity.publicKey,
      proof: proveLoginKey(identity, {
        trackerNonce: String(nonce),
        trackerKey: String(key),
        user: user,
        binding: undefined,
      }),
      port: 4444,
    })
    return finished.ok ? undefined : finished.sentence
  }

  #onBytes(bytes: Buffer): void {
    if (this.#onAnswered === undefined) this.#readLines(bytes)
    else this.#count(bytes, this.#onAnswered)
  }

  #count(bytes: Buffer, onAnswered: (latencyMs: number) => void): void {
    if (bytes.includes('"error"')) {
      this.refusals++
      this.refusal ??= /"error":[^}]*"message":"([^}]*)"}/.exec(bytes.toString())?.[1]
    }
    const nowMs = performance.now()
    for (let lines = countOf(newline, bytes) - countOf('"method":"', bytes); lines > 0; lines--) {
      const sentAtMs = this.#sentAtMs.shift() ?? nowMs
      onAnswered(nowMs - sentAtMs)
    }
    this.flush()
  }

  #readLines(bytes: Buffer): void {
    const all = this.#partial.length === 0 ? bytes : Buffer.concat([this.#partial, bytes])
    const end = all.lastIndexOf(newline) + 1
    // Copied, so that a partial line does not keep its whole chunk in memory.
    this.#partial = end === all.length ? Buffer.alloc(0) : Buffer.from(all.subarray(end))
    for (let at = 0; at < end && this.#waiting.size > 0;) {
      const next = all.indexOf(newline, at)
      this.#onLine(all.subarray(at, next))
      at = next + 1
    }
  }

  /** Notifications are dropped unparsed: a crowd receives millions. */
  #onLine(line: Buffer): void {
    if (!line.subarray(0, headBytes).includes('"id"')) return
    const { id, result, error } = JSON.parse(line.toString()) as {
      id: number | null
      result?: Record<string, unknown>
      error?: { code: number; message: string }
    }
    // A refusal of the whole connection names no request.
    const asked = id ?? this.#waiting.keys().next().value ?? -1
    const resolve = this.#waiting.get(asked)
    this.#waiting.delete(asked)
    if (error !== undefined) resolve?.({ ok: false, code: error.code, sentence: error.message })
    else resolve?.({ ok: true, result: result ?? {} })
  }

  #onClose(): void {
    const wasClosed = this.#isClosed
    this.giveUp()
    if (wasClosed) return
    if (this.onLost === undefined) throw new Error('the tracker closed a connection of the load generator')
    this.onLost()
  }
}

function countOf(wanted: string | number, bytes: Buffer): number {
  let count = 0
  for (let at = bytes.indexOf(wanted); at !== -1; at = bytes.indexOf(wanted, at + 1)) count++
  return count
}
