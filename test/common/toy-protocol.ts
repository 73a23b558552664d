// A small protocol with one of everything, and both its ends on a real socket, for the tests of src/common/wire.

import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import * as v from 'valibot'
import type { Address } from '../../src/common/addresses.ts'
import type { Failure } from '../../src/common/failure.ts'
import { lineBytesBeforeLogin, lineBytesMax } from '../../src/common/limits.ts'
import { accept, refuse } from '../../src/common/refusal.ts'
import { Caller } from '../../src/common/wire/caller.ts'
import { Channel, openChannel, type OpenOptions } from '../../src/common/wire/channel.ts'
import type { Needs, Protocol } from '../../src/common/wire/methods.ts'
import { answeredElsewhere, Responder, type Handlers } from '../../src/common/wire/responder.ts'

const Text = v.object({ text: v.string() })
const Nothing = v.object({})

export const toyProtocol = {
  requests: {
    hello: { needs: 'nothing', params: Nothing, result: Nothing },
    ping: { needs: 'hello', params: Nothing, result: Nothing },
    login: { needs: 'hello', params: Nothing, result: Nothing },
    echo: { needs: 'login', params: Text, result: Text },
    /** Answered by the test, through `toy.responder`. */
    later: { needs: 'login', params: Nothing, result: Nothing, bodyBytesMax: 1024 * 1024 },
    /** A promise that the test resolves, through `toy.slow`. */
    slow: { needs: 'login', params: Nothing, result: Nothing },
    throws: { needs: 'login', params: v.object({ atOnce: v.boolean() }), result: Nothing },
  },
  toCaller: { news: Text },
  toResponder: { note: Text },
} as const satisfies Protocol
export type ToyProtocol = typeof toyProtocol

export interface Session {
  stage: Needs
}

/** The accepting end of one connection, and what happened there. */
export interface Toy {
  readonly responder: Responder<ToyProtocol, Session>
  readonly socket: Socket
  readonly session: Session
  readonly notes: string[]
  /** Ids of `later` requests, in order. */
  readonly later: number[]
  /** One to call for each `slow` request under way. */
  readonly slow: (() => void)[]
  readonly failures: unknown[]
  readonly closed: Promise<Failure>
}

function handlersOf(toy: Pick<Toy, 'later' | 'slow'>): Handlers<ToyProtocol, Session> {
  const reach = (session: Session, stage: Needs): ReturnType<typeof accept<object>> => {
    session.stage = stage
    return accept({})
  }
  return {
    hello: (_params, session) => reach(session, 'hello'),
    ping: () => accept({}),
    login: (_params, session) => reach(session, 'login'),
    echo: ({ text }) => (text === 'no' ? refuse('busy', 'not today') : accept({ text })),
    later: (_params, _session, id) => {
      toy.later.push(id)
      return answeredElsewhere
    },
    slow: () => new Promise((resolve) => toy.slow.push(() => resolve(accept({})))),
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
  const session: Session = { stage: 'nothing' }
  const kept = { session, socket, notes: [] as string[], later: [], slow: [], failures: [] as unknown[] }
  const { promise, resolve } = promised<Failure>()
  const responder = new Responder<ToyProtocol, Session>(new Channel(socket, lineBytesBeforeLogin), {
    protocol: toyProtocol,
    session,
    handlers: handlersOf(kept),
    onTold: { note: ({ text }) => kept.notes.push(text) },
    stage: () => session.stage,
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
