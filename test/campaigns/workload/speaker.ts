// A user of a campaign: speaks the protocol over one connection at a time, and when that breaks turns to the next
// tracker at once, far sooner than the client program does. Says whether an answer came; callers decide whether to
// repeat a request.

import { randomBytes } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import type { Address } from '../../../src/common/addresses.ts'
import { Failure } from '../../../src/common/failure.ts'
import { lineBytesMax } from '../../../src/common/limits.ts'
import { trackerProtocol, type TrackerProtocol } from '../../../src/common/protocol/tracker-protocol.ts'
import type { Answer } from '../../../src/common/refusal.ts'
import { makeNonce, proveLoginKey } from '../../../src/common/security/challenge.ts'
import { makeIdentity } from '../../../src/common/security/identity.ts'
import { ScramClient } from '../../../src/common/security/scram.ts'
import { protocolVersion } from '../../../src/common/version.ts'
import { Caller } from '../../../src/common/wire/caller.ts'
import { openChannel } from '../../../src/common/wire/open-channel.ts'
import type { Method, Params, Result } from '../../../src/common/wire/methods.ts'
import { credentialsFor, keysOf } from './passwords.ts'

type Greeting = Result<TrackerProtocol, 'hello'>

interface Connection {
  readonly caller: Caller<TrackerProtocol>
  readonly greeting: Greeting
}

/** Only a tracker that hangs is waited for; a killed one closes the connection. */
const answerTimeoutMs = 5_000
/** The pause before the next tracker is tried: restarts take some hundred milliseconds. */
const retryMs = 15

const notTold = Object.fromEntries(
  Object.keys(trackerProtocol.toCaller).map((method) => [method, () => undefined]),
)

export class Speaker {
  /** Undefined for one that never logs in. */
  readonly user: string | undefined
  /** How often a tracker no longer knew this user. */
  accountsLost = 0
  readonly #trackers: readonly Address[]
  readonly #identity = makeIdentity()
  #tracker: number
  #connection: Promise<Connection> | undefined
  #isClosed = false

  /** `tracker`: the index of the one to begin with. */
  constructor(trackers: readonly Address[], tracker: number, user?: string) {
    this.#trackers = trackers
    this.#tracker = tracker
    this.user = user
  }

  /**
   * Waits for a tracker that is up, and tries once. Undefined when no answer came, or one that leaves open whether the
   * request will have an effect.
   */
  async try<M extends Method<TrackerProtocol>>(
    method: M,
    params: Params<TrackerProtocol, M>,
  ): Promise<Answer<Result<TrackerProtocol, M>> | undefined> {
    const connection = (this.#connection ??= this.#connect())
    await connection
    try {
      const answer = await this.hear(method, params)
      if (answer.ok || !['unavailable', 'busy'].includes(answer.refusal.code)) return answer
    } catch (error) {
      if (!(error instanceof Failure) || error.code === 'protocol') throw error
    }
    if (this.#connection === connection) this.moveOn()
    return undefined
  }

  /** The answer as it comes; rejects when none does. */
  async hear<M extends Method<TrackerProtocol>>(
    method: M,
    params: Params<TrackerProtocol, M>,
    timeoutMs = answerTimeoutMs,
  ): Promise<Answer<Result<TrackerProtocol, M>>> {
    const { caller } = await (this.#connection ??= this.#connect())
    return caller.request(method, params, { timeoutMs })
  }

  /** Tries until an answer comes. */
  async ask<M extends Method<TrackerProtocol>>(
    method: M,
    params: Params<TrackerProtocol, M>,
  ): Promise<Answer<Result<TrackerProtocol, M>>> {
    for (;;) {
      const answer = await this.try(method, params)
      if (answer !== undefined) return answer
    }
  }

  /** Of the tracker that answers now. */
  async greeting(): Promise<Greeting> {
    return (await (this.#connection ??= this.#connect())).greeting
  }

  /** Hangs up, whatever is under way, and uses the next tracker from now on. */
  moveOn(): void {
    const connection = this.#connection
    this.#connection = undefined
    this.#tracker++
    void connection?.then(
      ({ caller }) => caller.close(),
      () => undefined,
    )
  }

  close(): void {
    this.#isClosed = true
    this.moveOn()
  }

  async #connect(): Promise<Connection> {
    for (;;) {
      if (this.#isClosed) throw new Failure('connection-lost', 'this speaker has been closed')
      const address = this.#trackers[this.#tracker % this.#trackers.length] as Address
      try {
        return await this.#greet(address)
      } catch (error) {
        if (!(error instanceof Failure) || error.code === 'protocol') throw error
        this.#tracker++
        await setTimeout(retryMs)
      }
    }
  }

  async #greet(address: Address): Promise<Connection> {
    const channel = await openChannel(address, lineBytesMax)
    const caller = new Caller(channel, trackerProtocol, {
      onTold: notTold as never,
      onClosed: () => undefined,
    })
    try {
      const greeting = valueOf(
        await caller.request('hello', { protocol: protocolVersion, program: 'campaign' }),
      )
      if (this.user !== undefined) await this.#logIn(caller, this.user, greeting)
      return { caller, greeting }
    } catch (error) {
      caller.close()
      throw error
    }
  }

  async #logIn(caller: Caller<TrackerProtocol>, user: string, { nonce, key }: Greeting): Promise<void> {
    const scram = new ScramClient(user, makeNonce())
    const { serverFirst } = valueOf(await caller.request('login_start', { clientFirst: scram.clientFirst }))
    const answer = await caller.request('login_finish', {
      clientFinal: await scram.clientFinal(serverFirst, () => keysOf('first')),
      key: this.#identity.publicKey,
      proof: proveLoginKey(this.#identity, {
        trackerNonce: nonce,
        trackerKey: key,
        user: user,
        binding: undefined,
      }),
      port: 4000,
    })
    // Everybody was registered before the campaign began, so this user has been lost: count it, and register it again
    // so that the campaign comes to its end.
    if (!answer.ok && answer.refusal.code === 'login-failed') {
      this.accountsLost++
      await caller.request('register', { id: commandId(), user, ...(await credentialsFor()) })
    }
    valueOf(answer)
  }
}

export function commandId(): string {
  return randomBytes(12).toString('base64url')
}

/** A refusal before the login means: not at this tracker, not now. */
function valueOf<T>(answer: Answer<T>): T {
  if (!answer.ok) throw new Failure('connection-lost', answer.refusal.sentence)
  return answer.value
}
