// A client for tests: speaks the protocol and remembers what it was told.

import { onTestFinished } from 'vitest'
import type { Address } from '../../../src/common/addresses.ts'
import type { Failure } from '../../../src/common/failure.ts'
import { lineBytesMax, scramIterationsMin } from '../../../src/common/limits.ts'
import { trackerProtocol, type TrackerProtocol } from '../../../src/common/protocol/tracker-protocol.ts'
import type { Answer } from '../../../src/common/refusal.ts'
import { proveLoginKey } from '../../../src/common/security/challenge.ts'
import { makeIdentity, type Identity } from '../../../src/common/security/identity.ts'
import {
  credentialsOf,
  deriveKeys,
  ScramClient,
  type ClientKeys,
} from '../../../src/common/security/scram.ts'
import { protocolVersion } from '../../../src/common/version.ts'
import { Caller } from '../../../src/common/wire/caller.ts'
import { openChannel } from '../../../src/common/wire/open-channel.ts'
import type { Method, Params, Result } from '../../../src/common/wire/methods.ts'
import { commandId } from './test-tracker.ts'

export interface Told {
  readonly method: string
  readonly params: unknown
}

/** How a caller that is no honest client comes. */
export interface Coming {
  readonly identity?: Identity
  readonly isSecure?: boolean
  /** The address to come from. */
  readonly localHost?: string | undefined
}

/** Slow on purpose, so done once for each password. */
const derived = new Map<string, Promise<ClientKeys>>()
const salt = Buffer.alloc(16, 7).toString('base64')

export function keysOf(
  password: string,
  saltText = salt,
  iterations = scramIterationsMin,
): Promise<ClientKeys> {
  const name = `${password} ${saltText} ${iterations}`
  const known = derived.get(name) ?? deriveKeys(password, saltText, iterations)
  derived.set(name, known)
  return known
}

export class TestClient {
  readonly identity: Identity
  readonly caller: Caller<TrackerProtocol>
  readonly told: Told[] = []
  /** Why the connection closed; undefined while it is open. */
  closed: Failure | undefined
  trackerKey = ''
  /** Where it says that others reach it; undefined for the address that the tracker sees. */
  advertised: string | undefined
  nonce = ''
  /** What else it says of its whereabouts at a login. */
  where: Pick<Params<TrackerProtocol, 'login_finish'>, 'local' | 'mapped' | 'relays'> = {}
  /** What it says of itself in `hello`. */
  capabilities: string[] = ['calls']
  /** What a login waits for before its last request. */
  beforeFinish: () => Promise<void> = () => Promise.resolve()
  #onNews: (() => void) | undefined
  readonly #sent = new Set<string>()

  constructor(caller: (client: TestClient) => Caller<TrackerProtocol>, identity: Identity) {
    this.identity = identity
    this.caller = caller(this)
  }

  /** Ends with the test. */
  static async connect(address: Address, identity = makeIdentity(), isSecure = false): Promise<TestClient> {
    const client = await TestClient.open(address, { identity, isSecure })
    onTestFinished(() => client.caller.close())
    return client
  }

  /** For callers that are no test, and close it themselves. `localHost`: the address to come from. */
  static async open(
    address: Address,
    { identity = makeIdentity(), isSecure = false, localHost }: Coming = {},
  ): Promise<TestClient> {
    const tls = isSecure ? { check: () => undefined } : undefined
    const channel = await openChannel(address, lineBytesMax, { tls, localHost })
    const onTold = (client: TestClient) =>
      Object.fromEntries(
        Object.keys(trackerProtocol.toCaller).map((method) => [
          method,
          (params: unknown) => client.#hear({ method, params }),
        ]),
      )
    return new TestClient(
      (self) =>
        new Caller(channel, trackerProtocol, {
          onTold: onTold(self) as never,
          onClosed: (reason) => self.#close(reason),
        }),
      identity,
    )
  }

  /** Connected, greeted, registered if need be, and logged in. */
  static async loggedIn(
    address: Address,
    user: string,
    port = 4000,
    identity?: Identity,
  ): Promise<TestClient> {
    const client = await TestClient.connect(address, identity)
    await client.hello()
    await client.register(user, 'secret')
    const answer = await client.login(user, 'secret', port)
    if (!answer.ok) throw new Error(answer.refusal.sentence)
    return client
  }

  request<M extends Method<TrackerProtocol>>(
    method: M,
    params: Params<TrackerProtocol, M>,
  ): Promise<Answer<Result<TrackerProtocol, M>>> {
    this.#sent.add(method)
    return this.caller.request(method, params)
  }

  /** What both ends share; undefined without TLS. */
  get binding(): string | undefined {
    return this.caller.channel.secure?.binding
  }

  /** Whether it has asked this. */
  sent(method: string): boolean {
    return this.#sent.has(method)
  }

  /** A change, with a fresh command id. */
  change<M extends Method<TrackerProtocol>>(
    method: M,
    params: Omit<Params<TrackerProtocol, M>, 'id'>,
  ): Promise<Answer<Result<TrackerProtocol, M>>> {
    return this.caller.request(method, { id: commandId(), ...params })
  }

  async hello(): Promise<void> {
    const { capabilities } = this
    const answer = await this.request('hello', { protocol: protocolVersion, program: 'test', capabilities })
    if (!answer.ok) throw new Error(answer.refusal.sentence)
    this.trackerKey = answer.value.key
    this.nonce = answer.value.nonce
  }

  async register(user: string, password: string): Promise<Answer<object>> {
    return this.change('register', { user, ...credentialsOf(await keysOf(password)) })
  }

  /** The proof of a password for the next request on this connection. */
  async proof(user: string, password: string): Promise<string> {
    const scram = new ScramClient(user, commandId(), this.binding)
    const start = await this.request('login_start', { clientFirst: scram.clientFirst })
    if (!start.ok) throw new Error(start.refusal.sentence)
    const keySource = (saltText: string, iterations: number) => keysOf(password, saltText, iterations)
    return scram.clientFinal(start.value.serverFirst, keySource)
  }

  async changePassword(user: string, old: string, text: string, id = commandId()): Promise<Answer<object>> {
    const clientFinal = await this.proof(user, old)
    return this.request('change_password', { id, user, clientFinal, ...credentialsOf(await keysOf(text)) })
  }

  /** With a session of an earlier login; `key` and `proof` are those of this client unless a test forges them. */
  async resume(
    session: string,
    user: string,
    identity: Pick<Identity, 'sign'> = this.identity,
    trackerNonce = this.nonce,
    binding = this.binding,
  ): Promise<Answer<Result<TrackerProtocol, 'resume_login'>>> {
    const challenge = { trackerNonce, trackerKey: this.trackerKey, user, binding }
    const proof = proveLoginKey(identity as Identity, challenge)
    return this.request('resume_login', { session, nonce: 'n'.repeat(32), proof, port: 4000 })
  }

  async deleteAccount(user: string, password: string, id = commandId()): Promise<Answer<object>> {
    return this.request('delete_account', { id, user, clientFinal: await this.proof(user, password) })
  }

  async login(
    user: string,
    password: string,
    port = 4000,
    proof = proveLoginKey(this.identity, {
      trackerNonce: this.nonce,
      trackerKey: this.trackerKey,
      user,
      binding: this.binding,
    }),
    binding = this.binding,
  ): Promise<Answer<object>> {
    const scram = new ScramClient(user, commandId(), binding)
    const start = await this.request('login_start', { clientFirst: scram.clientFirst })
    if (!start.ok) return start
    const keySource = (saltText: string, iterations: number) => keysOf(password, saltText, iterations)
    const clientFinal = await scram.clientFinal(start.value.serverFirst, keySource)
    await this.beforeFinish()
    const end = await this.request('login_finish', {
      clientFinal,
      key: this.identity.publicKey,
      proof,
      host: this.advertised,
      port,
      ...this.where,
    })
    if (end.ok && !scram.isServerGenuine(end.value.serverFinal)) throw new Error('the tracker is a fake')
    return end
  }

  /** The next notification of this kind, also one that came before; it is taken off `told`. */
  async hears(method: string): Promise<unknown> {
    for (;;) {
      const index = this.told.findIndex((told) => told.method === method)
      if (index !== -1) return this.told.splice(index, 1)[0]?.params
      if (this.closed !== undefined) throw this.closed
      await new Promise<void>((resolve) => {
        this.#onNews = resolve
      })
    }
  }

  async hearsClosed(): Promise<Failure> {
    while (this.closed === undefined) {
      await new Promise<void>((resolve) => {
        this.#onNews = resolve
      })
    }
    return this.closed
  }

  #hear(told: Told): void {
    this.told.push(told)
    this.#onNews?.()
  }

  #close(reason: Failure): void {
    this.closed = reason
    this.#onNews?.()
  }
}
