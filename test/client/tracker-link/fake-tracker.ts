// A tracker that does what the test says: real sockets, real logins, and no state behind them.

import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { createServer as createSecureServer, TLSSocket } from 'node:tls'
import { onTestFinished } from 'vitest'
import type { Address } from '../../../src/common/addresses.ts'
import { lineBytesMax, scramIterationsMin } from '../../../src/common/limits.ts'
import { trackerProtocol, type TrackerProtocol } from '../../../src/common/protocol/tracker-protocol.ts'
import { accept, refuse, type Answer } from '../../../src/common/refusal.ts'
import { checkLoginKey, makeNonce } from '../../../src/common/security/challenge.ts'
import { makeIdentity } from '../../../src/common/security/identity.ts'
import {
  checkClientFinal,
  credentialsOf,
  deriveKeys,
  parseClientFirst,
  serverFirstMessage,
  type Credentials,
} from '../../../src/common/security/scram.ts'
import { sessionVerifier, verifierKeyOf } from '../../../src/common/security/session.ts'
import { protocolVersion } from '../../../src/common/version.ts'
import { Channel } from '../../../src/common/wire/channel.ts'
import { secureOf } from '../../../src/common/wire/tls.ts'
import type { Method, Stage, Params, Result } from '../../../src/common/wire/methods.ts'
import { answeredElsewhere, Responder, type Handlers } from '../../../src/common/wire/responder.ts'

export const user = 'ann'
export const password = 'correct horse'

/** One user, known to all trackers of a test. Slow on purpose, so derived once. */
const derived = deriveKeys(password, Buffer.alloc(16, 7).toString('base64'), scramIterationsMin)

export interface Call {
  readonly method: string
  readonly params: any
}

type Outcome = Answer<object> | typeof answeredElsewhere
/** What to do instead of saying yes. */
type Instead = (params: any, socket: Socket) => Outcome | Promise<Outcome>

interface Asker {
  readonly nonce: string
  readonly socket: Socket
  /** What both ends share on an encrypted connection. */
  readonly binding: string | undefined
  stage: Stage
  bare: string
  serverFirst: string
}

/** Of the client that logged in last, at any of them. */
let clientKey = ''

export class FakeTracker {
  /** What it says that it can, at the next `hello`. */
  community = 'c1'
  readonly identity = makeIdentity()
  /** Everything that was asked, in order, over all connections. */
  readonly calls: Call[] = []
  readonly instead = new Map<string, Instead>()
  readonly #responders = new Set<Responder<TrackerProtocol, Asker>>()
  readonly #sockets = new Set<Socket>()
  #server: Server | undefined
  #port = 0
  #onCall: (() => void) | undefined
  #credentials: Credentials | undefined
  /** What it gives at a login, to log in with again. */
  session: string | undefined

  readonly #isSecure: boolean

  constructor({ isSecure = false } = {}) {
    this.#isSecure = isSecure
  }

  /** Listens, on the same port again when it listened before. */
  async start(): Promise<this> {
    this.#credentials = credentialsOf(await derived)
    this.#server = this.#isSecure
      ? createSecureServer({ ...this.identity.forTls, minVersion: 'TLSv1.3' }, (socket) =>
          this.#accept(socket),
        )
      : createServer((socket) => this.#accept(socket))
    this.#server.listen(this.#port, '127.0.0.1')
    await once(this.#server, 'listening')
    this.#port = (this.#server.address() as AddressInfo).port
    return this
  }

  /** Dies without a word: all connections break, nobody listens. */
  async stop(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    for (const socket of this.#sockets) socket.destroy()
    await new Promise<void>((done) => (server === undefined ? done() : server.close(() => done())))
  }

  get address(): Address {
    return { host: '127.0.0.1', port: this.#port }
  }

  get connectionCount(): number {
    return this.#sockets.size
  }

  /** The calls of this method, in order, waiting for so many. */
  async called(method: string, count = 1): Promise<Call[]> {
    for (;;) {
      const found = this.calls.filter((call) => call.method === method)
      if (found.length >= count) return found
      await new Promise<void>((news) => (this.#onCall = news))
    }
  }

  /** Resolves when the tracker has heard of this file as announced so. */
  async hears(name: string, complete: boolean): Promise<void> {
    for (let count = 1; ; count++) {
      const calls = await this.called('announce', count)
      if (
        calls.some(({ params }) =>
          params.files.some((each: any) => each.name === name && each.complete === complete),
        )
      )
        return
    }
  }

  /** Tells it to everybody that is connected. */
  tellAll: Responder<TrackerProtocol, Asker>['tell'] = (method, params) => {
    for (const responder of this.#responders) responder.tell(method, params)
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('close', () => this.#sockets.delete(socket))
    const secure = socket instanceof TLSSocket ? secureOf(socket) : undefined
    const binding = secure?.binding
    const asker: Asker = {
      nonce: makeNonce(),
      socket,
      binding,
      stage: 'connected',
      bare: '',
      serverFirst: '',
    }
    const responder = new Responder<TrackerProtocol, Asker>(new Channel(socket, lineBytesMax, { secure }), {
      protocol: trackerProtocol,
      from: asker,
      handlers: this.#handlers(asker),
      onTold: {},
      stage: () => asker.stage,
      onClosed: () => this.#responders.delete(responder),
      onFailure: (error) => {
        throw error
      },
    })
    this.#responders.add(responder)
  }

  #handlers(asker: Asker): Handlers<TrackerProtocol, Asker> {
    const known: Partial<Record<Method<TrackerProtocol>, (params: any) => Answer<object>>> = {
      hello: () => this.#hello(asker),
      login_start: (params) => this.#loginStart(asker, params),
      login_finish: (params) => this.#loginFinish(asker, params),
      resume_login: (params) => this.#resumeLogin(asker, params),
      announce: () => accept({ refused: [] }),
      list_groups: () => accept({ groups: [], more: false }),
    }
    const handlers: Record<string, Instead> = {}
    for (const method of Object.keys(trackerProtocol.requests) as Method<TrackerProtocol>[]) {
      handlers[method] = async (params) => {
        this.calls.push({ method, params })
        this.#onCall?.()
        const instead = this.instead.get(method)
        const outcome = await instead?.(params, asker.socket)
        return outcome ?? known[method]?.(params) ?? accept({})
      }
    }
    return handlers as unknown as Handlers<TrackerProtocol, Asker>
  }

  #hello(asker: Asker): Answer<Result<TrackerProtocol, 'hello'>> {
    asker.stage = 'greeted'
    return accept({
      protocol: protocolVersion,
      program: 'fake',
      capabilities: [],
      cluster: this.community,
      key: this.identity.publicKey,
      nonce: asker.nonce,
      timeMs: Date.now(),
    })
  }

  #loginStart(asker: Asker, params: Params<TrackerProtocol, 'login_start'>): Answer<object> {
    const first = parseClientFirst(params.clientFirst, asker.binding)
    if (first === undefined || this.#credentials === undefined) return refuse('invalid-params', 'no')
    asker.bare = first.bare
    asker.serverFirst = serverFirstMessage(first.nonce, makeNonce(), this.#credentials)
    return accept({ serverFirst: asker.serverFirst })
  }

  #loginFinish(asker: Asker, params: Params<TrackerProtocol, 'login_finish'>): Answer<object> {
    const { clientFinal, key, proof } = params
    const credentials = this.#credentials
    const { bare, serverFirst, binding } = asker
    const serverFinal = credentials && checkClientFinal(bare, serverFirst, clientFinal, credentials, binding)
    if (serverFinal === undefined) return refuse('login-failed', 'wrong user or password')
    const challenge = {
      trackerNonce: asker.nonce,
      trackerKey: this.identity.publicKey,
      user,
      binding: asker.binding,
    }
    if (!checkLoginKey(key, proof, challenge)) return refuse('proof-failed', 'this is not its key')
    asker.stage = 'proven'
    clientKey = key
    return accept({ serverFinal, trackers: [this.identity.publicKey], session: this.session })
  }

  #resumeLogin(asker: Asker, { nonce }: Params<TrackerProtocol, 'resume_login'>): Answer<object> {
    const challenge = {
      trackerNonce: asker.nonce,
      trackerKey: this.identity.publicKey,
      user,
      binding: asker.binding,
    }
    asker.stage = 'proven'
    const key = verifierKeyOf(this.#credentials?.serverKey ?? '', clientKey)
    const verifier = sessionVerifier(key, nonce, challenge)
    return accept({ verifier, trackers: [this.identity.publicKey] })
  }
}

/** So many trackers that listen. They end with the test. */
export async function startTrackers(count: number): Promise<FakeTracker[]> {
  const trackers = await Promise.all(Array.from({ length: count }, () => new FakeTracker().start()))
  onTestFinished(async () => {
    await Promise.all(trackers.map((tracker) => tracker.stop()))
  })
  return trackers
}

/** Breaks the connection that the request came on; it is never answered. */
export const diesOverIt: Instead = (_params, socket) => {
  socket.destroy()
  return answeredElsewhere
}

/** Never answers, and keeps the connection open. */
export const isSilent: Instead = () => answeredElsewhere
