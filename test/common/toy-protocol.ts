// A small protocol with one of everything, and both its ends on a real socket, for the tests of src/common/wire.

import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import * as v from 'valibot'
import type { Address } from '../../src/common/addresses.ts'
import type { Failure } from '../../src/common/failure.ts'
import { lineBytesBeforeLogin, lineBytesMax } from '../../src/common/limits.ts'
import { accept, refuse } from '../../src/common/refusal.ts'
import { Caller } from '../../src/common/wire/caller.ts'
import { Channel } from '../../src/common/wire/channel.ts'
import type { Protocol, Stage } from '../../src/common/wire/methods.ts'
import { openChannel, type OpenOptions } from '../../src/common/wire/open-channel.ts'
import { answeredElsewhere, Responder, type Handlers } from '../../src/common/wire/responder.ts'

const Text = v.object({ text: v.string() })
const Nothing = v.object({})

export const toyProtocol = {
  requests: {
    hello: { stage: 'connected', params: Nothing, result: Nothing },
    ping: { stage: 'greeted', params: Nothing, result: Nothing },
    login: { stage: 'greeted', params: Nothing, result: Nothing },
    echo: { stage: 'proven', params: Text, result: Text },
    /** Answered by the test, through `toy.responder`. */
    later: { stage: 'proven', params: Nothing, result: Nothing, bodyBytesMax: 1024 * 1024 },
    /** A promise that the test resolves, through `toy.slow`. */
    slow: { stage: 'proven', params: Nothing, result: Nothing },
    /** Waits for `toy.syncing.wait`. */
    read: { stage: 'proven', reads: true, params: Nothing, result: Nothing },
    throws: { stage: 'proven', params: v.object({ atOnce: v.boolean() }), result: Nothing },
  },
  toCaller: { news: Text },
  toResponder: { note: Text },
} as const satisfies Protocol
export type ToyProtocol = typeof toyProtocol

export interface Asker {
  stage: Stage
}

/** The accepting end of one connection, and what happened there. */
export interface Toy {
  readonly responder: Responder<ToyProtocol, Asker>
  readonly socket: Socket
  readonly asker: Asker
  readonly notes: string[]
  /** Ids of `later` requests, in order. */
  readonly later: number[]
  /** One to call for each `slow` request under way. */
  readonly slow: (() => void)[]
  readonly failures: unknown[]
  /** Ids of `read` requests that were served. */
  readonly reads: number[]
  /** What a read waits for, if the test gives it something. */
  readonly syncing: { wait?: () => Promise<void> }
  readonly closed: Promise<Failure>
}

function handlersOf(toy: Pick<Toy, 'later' | 'slow' | 'reads'>): Handlers<ToyProtocol, Asker> {
  const reach = (from: Asker, stage: Stage): ReturnType<typeof accept<object>> => {
    from.stage = stage
    return accept({})
  }
  return {
    hello: (_params, from) => reach(from, 'greeted'),
    ping: () => accept({}),
    login: (_params, from) => reach(from, 'proven'),
    echo: ({ text }) => (text === 'no' ? refuse('busy', 'not today') : accept({ text })),
    later: (_params, _from, id) => {
      toy.later.push(id)
      return answeredElsewhere
    },
    slow: () => new Promise((resolve) => toy.slow.push(() => resolve(accept({})))),
    read: (_params, _from, id) => {
      toy.reads.push(id)
      return accept({})
    },
    throws: ({ atOnce }) => {
      const error = new Error('a bug in a handler')
      if (atOnce) throw error
      return Promise.reject(error)
    },
  }
}

function promised<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined
  const promise = new Promise<T>((done) => {
    resolve = done
  })
  return { promise, resolve }
}

function toyOf(socket: Socket): Toy {
  const asker: Asker = { stage: 'connected' }
  const kept = {
    asker,
    socket,
    notes: [] as string[],
    later: [],
    slow: [],
    reads: [],
    failures: [] as unknown[],
    syncing: {} as Toy['syncing'],
  }
  const { promise, resolve } = promised<Failure>()
  const responder = new Responder<ToyProtocol, Asker>(new Channel(socket, lineBytesBeforeLogin), {
    protocol: toyProtocol,
    from: asker,
    handlers: handlersOf(kept),
    onTold: { note: ({ text }) => kept.notes.push(text) },
    stage: () => asker.stage,
    sync: () => kept.syncing.wait?.(),
    onClosed: resolve,
    onFailure: (error) => kept.failures.push(error),
  })
  return { ...kept, responder, closed: promise }
}

/** A server on a free port of loopback. `next` gives the accepting end of the next connection. */
export async function listen(): Promise<{ address: Address; next: () => Promise<Toy>; close: () => void }> {
  const toys: Toy[] = []
  const waiting: ((toy: Toy) => void)[] = []
  const server = createServer((socket) => {
    const toy = toyOf(socket)
    const waiter = waiting.shift()
    if (waiter === undefined) toys.push(toy)
    else waiter(toy)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => sockets.add(socket))
  return {
    address: { host: '127.0.0.1', port },
    next: () =>
      new Promise((resolve) => {
        const toy = toys.shift()
        if (toy === undefined) waiting.push(resolve)
        else resolve(toy)
      }),
    close: () => {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

/** The connecting end, and what it heard. */
export interface Toys {
  readonly caller: Caller<ToyProtocol>
  readonly news: string[]
  readonly closed: Promise<Failure>
  /** Resolves when so many bytes have come in, counted from the start. */
  heardBytes(count: number): Promise<void>
}

export async function call(address: Address, options: OpenOptions = {}): Promise<Toys> {
  const news: string[] = []
  const { promise, resolve } = promised<Failure>()
  const waiting: { count: number; done: () => void }[] = []
  let heard = 0
  const caller = new Caller(await openChannel(address, lineBytesMax, options), toyProtocol, {
    onTold: { news: ({ text }) => news.push(text) },
    onClosed: resolve,
    onBytes: (count) => {
      heard += count
      for (const wait of waiting) if (heard >= wait.count) wait.done()
    },
  })
  const heardBytes = (count: number): Promise<void> =>
    heard >= count ? Promise.resolve() : new Promise((done) => waiting.push({ count, done }))
  return { caller, news, closed: promise, heardBytes }
}
