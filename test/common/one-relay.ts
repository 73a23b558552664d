// A relay behind a listener on a free port, and ends that dial it.

import { connect, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { Failure } from '../../src/common/failure.ts'
import { Listener } from '../../src/common/wire/listener.ts'
import { Relay, type RelayOptions, type RelayTokens } from '../../src/common/wire/relay.ts'
import { encodeRoleHello } from '../../src/common/wire/role-hello.ts'
import { connectionLimits } from '../../src/tracker/limits.ts'
import { makeNonce } from '../../src/common/security/challenge.ts'

/** One end of a pair, and what it got. */
export class End {
  readonly socket: Socket
  bytes = 0
  text = ''
  hasEnded = false
  readonly closed: Promise<void>

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (bytes: Buffer) => {
      this.bytes += bytes.length
      if (this.text.length < 10_000) this.text += bytes.toString('latin1')
    })
    socket.on('end', () => (this.hasEnded = true))
    socket.on('error', () => socket.destroy())
    this.closed = new Promise((resolve) => void socket.once('close', () => resolve()))
  }
}

export class OneRelay {
  readonly relay: Relay
  /** The relay's ends of the connections, in the order in which they came. */
  readonly sockets: readonly Socket[]
  readonly #port: number

  private constructor(relay: Relay, port: number, sockets: readonly Socket[]) {
    this.relay = relay
    this.sockets = sockets
    this.#port = port
  }

  /** Ends with the test. */
  static async open(options: Partial<RelayOptions> = {}): Promise<OneRelay> {
    const sockets: Socket[] = []
    const relay = new Relay({ bytesPerSecond: undefined, ...options })
    const listener = new Listener({
      limits: connectionLimits,
      serve: ({ channel }) => channel.close(new Failure('protocol', 'only relaying here')),
      onRole: (opened) => {
        sockets.push(opened.socket)
        return opened.hello.role === 'relays' && relay.take(opened)
      },
    })
    const { port } = await listener.listen({ host: '127.0.0.1', port: 0 })
    onTestFinished(async () => {
      relay.close()
      await listener.close('the test is over')
    })
    return new OneRelay(relay, port, sockets)
  }

  /** Tokens for two; undefined when the relay takes no more. */
  expect(caller = 'ann', called = 'ben'): RelayTokens | undefined {
    const tokens = [makeNonce(), makeNonce()] as const
    return this.relay.expect([caller, called], tokens) ? tokens : undefined
  }

  /** Dials with a token, and says more at once. `allowHalfOpen`: goes on when the other end has said all. */
  dial(token: string, more = '', allowHalfOpen = false): End {
    const socket = connect({ host: '127.0.0.1', port: this.#port, allowHalfOpen })
    onTestFinished(() => void socket.destroy())
    socket.write(encodeRoleHello({ role: 'relays', token }) + more)
    return new End(socket)
  }

  /** Both ends of a pair. */
  pair(caller = 'ann', called = 'ben'): [End, End] {
    const [one = '', other = ''] = this.expect(caller, called) ?? []
    return [this.dial(one), this.dial(other)]
  }
}
