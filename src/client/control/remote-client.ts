// The client that runs, from another process: does what `Client` does, over the socket in its data folder.

import { connect } from 'node:net'
import { resolve, sep } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { Failure, systemCode } from '../../common/failure.ts'
import { accept } from '../../common/refusal.ts'
import { clientProgram } from '../../common/version.ts'
import { Caller } from '../../common/wire/caller.ts'
import { Channel } from '../../common/wire/channel.ts'
import type { ClientEvent, Operations } from '../operations.ts'
import { SocketFolder } from '../storage/socket-folder.ts'
import {
  controlLineBytesMax,
  controlProtocol,
  controlVersion,
  pathArguments,
  remoteNames,
  remoteOperations,
  socketName,
  type ControlProtocol,
  type RemoteOperation,
} from './protocol.ts'

export interface RemoteClientOptions {
  /** The data folder of the client that runs. */
  readonly folder: string
  /**
   * Where this one would listen, as it was typed: it is another terminal of that client only if both say the same.
   * Undefined for whichever client has the folder.
   */
  readonly listen: string | undefined
}

export class RemoteClient {
  readonly operations: Operations = this.#operations()
  readonly #options: RemoteClientOptions
  readonly #listeners = new Set<(event: ClientEvent) => void>()
  readonly #ended: Promise<void>
  #onEnded: () => void = () => undefined
  #caller: Caller<ControlProtocol> | undefined
  #user: string | undefined
  #isClosing = false

  private constructor(options: RemoteClientOptions) {
    this.#options = options
    this.#ended = new Promise((resolve) => (this.#onEnded = resolve))
  }

  /**
   * Resolves to undefined when no client listens in the folder. Rejects with a `start` failure when it is of another
   * version, or listens elsewhere.
   */
  static async connect(options: RemoteClientOptions): Promise<RemoteClient | undefined> {
    const client = new RemoteClient(options)
    return (await client.#connect()) ? client : undefined
  }

  /** Resolves when the client that runs has ended. */
  get ended(): Promise<void> {
    return this.#ended
  }

  /** Adds a listener for events; call the result to remove it. */
  subscribe(listener: (event: ClientEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Leaves; the client that runs goes on. */
  async close(): Promise<void> {
    this.#isClosing = true
    this.#caller?.close()
  }

  /** Each asks the client that runs, for as long as it takes, or until that has ended. */
  #operations(): Operations {
    const asked = remoteNames.map((name) => [name, (...given: unknown[]) => this.#ask(name, given)])
    return { ...Object.fromEntries(asked), whoami: () => this.#user } as Operations
  }

  async #ask(name: RemoteOperation, given: readonly unknown[]): Promise<unknown> {
    if (this.#caller === undefined)
      throw new Failure('connection-lost', 'the client has ended; start it again')
    const path = pathArguments[name]
    const meant = given.map((each, index) => (index === path ? absolute(String(each)) : each))
    const answer = await this.#caller.request(name, { given: meant }, { timeoutMs: 0 })
    if (remoteOperations[name] === 'answers') return answer.ok ? accept(answer.value.value) : answer
    // It never refuses, but the client may be ending.
    if (!answer.ok) throw new Failure('connection-lost', answer.refusal.sentence)
    return answer.value.value
  }

  async #connect(): Promise<boolean> {
    const channel = await openSocket(this.#options.folder)
    if (channel === undefined) return false
    const caller = new Caller(channel, controlProtocol, {
      onTold: { event: ({ event }) => this.#onEvent(event) },
      onClosed: () => this.#onClosed(caller),
    })
    const { listen } = this.#options
    const hello = await caller.request('hello', { protocol: controlVersion, program: clientProgram, listen })
    if (!hello.ok) {
      caller.close()
      throw new Failure('start', hello.refusal.sentence)
    }
    this.#caller = caller
    this.#setUser(hello.value.user)
    return true
  }

  /** It may only have been given up, since this process was stopped for a while. */
  #onClosed(caller: Caller<ControlProtocol>): void {
    if (this.#caller !== caller) return
    this.#caller = undefined
    if (this.#isClosing) return
    const end = (): void => this.#onEnded()
    this.#connect().then((isThere) => {
      if (!isThere) end()
    }, end)
  }

  #onEvent(event: ClientEvent): void {
    if (event.kind === 'user-changed') this.#user = event.user
    for (const listener of this.#listeners) listener(event)
  }

  #setUser(user: string | undefined): void {
    if (user !== this.#user) this.#onEvent({ kind: 'user-changed', user })
  }
}

/** How long a client that has just claimed its folder may take until it listens. */
const startPatienceMs = 5000
const pauseMs = 50

/** Like `RemoteClient.connect`, for a client that runs but may only be starting. */
export async function joinRunning(options: RemoteClientOptions): Promise<RemoteClient | undefined> {
  const deadlineMs = performance.now() + startPatienceMs
  for (;;) {
    const client = await RemoteClient.connect(options)
    if (client !== undefined || performance.now() > deadlineMs) return client
    await setTimeout(pauseMs)
  }
}

/** Resolves to undefined when nobody listens there. */
async function openSocket(folder: string): Promise<Channel | undefined> {
  const sockets = new SocketFolder(folder)
  try {
    return await new Promise((resolve, reject) => {
      const socket = connect(sockets.socket(socketName))
      socket.once('connect', () => resolve(new Channel(socket, controlLineBytesMax)))
      socket.once('error', (error) => {
        const code = systemCode(error)
        if (code === 'ECONNREFUSED' || code === 'ENOENT') resolve(undefined)
        else reject(new Failure('start', `cannot reach the running client: ${error.message}`, error))
      })
    })
  } finally {
    sockets.close()
  }
}

/** As seen from this process. A separator at the end says that it is a folder. */
function absolute(path: string): string {
  return path.endsWith(sep) && path !== sep ? resolve(path) + sep : resolve(path)
}
