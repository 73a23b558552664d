// Two clients without a tracker between them: one that fetches, and one that serves and is called by the test.

import { createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import type { Address } from '../../../src/common/addresses.ts'
import { Failure } from '../../../src/common/failure.ts'
import { peerConnectionLimits } from '../../../src/common/limits.ts'
import type { Peer } from '../../../src/common/protocol/tracker-protocol.ts'
import { makeIdentity } from '../../../src/common/security/identity.ts'
import { Listener, type OpenedWithRole } from '../../../src/common/wire/listener.ts'
import type { TlsOptions } from '../../../src/common/wire/open-channel.ts'
import { Protection } from '../../../src/common/wire/protection.ts'
import { AwaitedCalls } from '../../../src/client/reach/awaited-calls.ts'

export class End {
  readonly identity = makeIdentity()
  readonly protection = new Protection(this.identity.forTls, 'always')
  readonly awaited = new AwaitedCalls()
  /** Messages that came on connections on which it serves. */
  readonly heard: unknown[] = []
  listen: Address = { host: '127.0.0.1', port: 0 }
  closed = 0
  readonly #listener: Listener

  private constructor() {
    this.#listener = new Listener({
      limits: peerConnectionLimits,
      tls: this.protection.incoming,
      takesPlain: () => false,
      onRole: (opened) => this.awaited.take(opened),
      serve: (connection) => {
        connection.channel.listen({
          onFrame: ({ message }) => this.heard.push(message),
          onMalformed: () => undefined,
          bodyBuffer: () => {
            throw new Failure('protocol', 'no body')
          },
          onClosed: () => {
            this.closed++
            connection.onClosed()
          },
        })
      },
    })
  }

  static async start(): Promise<End> {
    const end = new End()
    end.listen = await end.#listener.listen({ host: '127.0.0.1', port: 0 })
    onTestFinished(() => end.#listener.close('the test is over'))
    return end
  }

  /** How trackers name it. */
  peer(address: Address = this.listen): Peer {
    return { user: 'ann', ...address, key: this.identity.publicKey, complete: true }
  }

  get check(): TlsOptions['check'] {
    const own = this.identity.publicKey
    return (key) => (key === own ? undefined : new Failure('connection-lost', 'another client answers'))
  }

  serveOn(socket: Socket): void {
    this.#listener.adopt(socket, (connection) => {
      connection.channel.listen({
        onFrame: ({ message }) => this.heard.push(message),
        onMalformed: () => undefined,
        bodyBuffer: () => Buffer.alloc(0),
        onClosed: () => connection.onClosed(),
      })
    })
  }
}

/** A place on this machine where whoever connects hears nothing. */
export async function silence(): Promise<Address> {
  const sockets: Socket[] = []
  const server = createServer((socket) => sockets.push(socket.on('error', () => socket.destroy())))
  const port = await new Promise<number>((resolve) =>
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : 0)
    }),
  )
  onTestFinished(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return { host: '127.0.0.1', port }
}

/** A place on this machine where nobody listens. */
export async function nowhere(): Promise<Address> {
  const listener = new Listener({ limits: peerConnectionLimits, serve: () => {} })
  const address = await listener.listen({ host: '127.0.0.1', port: 0 })
  await listener.close('')
  return address
}

/** Forwards between the two that show the same token. Returns where, and how many bytes it has seen. */
export async function forwarding(): Promise<{ address: Address; seen: () => Buffer }> {
  const waiting = new Map<string, OpenedWithRole>()
  const seen: Buffer[] = []
  const listener = new Listener({
    limits: peerConnectionLimits,
    serve: () => {},
    onRole: (opened) => {
      const { token } = opened.hello
      const first = waiting.get(token)
      waiting.set(token, opened)
      if (first === undefined) return true
      for (const [from, to] of [
        [first, opened],
        [opened, first],
      ] as const) {
        if (from.rest.length > 0) to.socket.write(from.rest)
        from.socket.on('data', (bytes: Buffer) => {
          seen.push(bytes)
          to.socket.write(bytes)
        })
        from.socket.on('close', () => to.socket.destroy())
        from.socket.resume()
      }
      return true
    },
  })
  const address = await listener.listen({ host: '127.0.0.1', port: 0 })
  onTestFinished(() => {
    for (const { socket } of waiting.values()) socket.destroy()
    return listener.close('the test is over')
  })
  return { address, seen: () => Buffer.concat(seen) }
}
