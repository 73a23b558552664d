// Opens plain connections on which another end is to call, or which begin with a role.

import { connect, type Socket } from 'node:net'
import { formatAddress, type Address } from '../../common/addresses.ts'
import { Failure, sentenceOf } from '../../common/failure.ts'
import { keepAliveAfterMs } from '../../common/limits.ts'

export interface DialOptions {
  /** Where to connect from: an address, and a port that others of this program may have too. */
  readonly from?: { readonly host: string; readonly port: number } | undefined
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

/**
 * Resolves to a connected socket that is paused. Rejects with a `connection-lost` or `timeout` failure that names the
 * address, also when the signal aborts.
 */
export function dial(address: Address, { from, timeoutMs, signal }: DialOptions): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: address.host,
      port: address.port,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: keepAliveAfterMs,
      ...(from === undefined ? {} : { localAddress: from.host, localPort: from.port }),
    })
    const onAbort = (): void => {
      socket.destroy(new Failure('connection-lost', `${formatAddress(address)} is not needed any more`))
    }
    const timer = setTimeout(() => {
      socket.destroy(new Failure('timeout', `${formatAddress(address)} does not answer`))
    }, timeoutMs)
    const settle = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
    }
    signal.addEventListener('abort', onAbort)
    if (signal.aborted) onAbort()
    socket.once('error', (error) => {
      settle()
      const sentence = `cannot connect to ${formatAddress(address)}: ${sentenceOf(error)}`
      reject(error instanceof Failure ? error : new Failure('connection-lost', sentence, error))
    })
    socket.once('connect', () => {
      settle()
      // What breaks from here on is for the one that takes the socket.
      socket.on('error', () => socket.destroy())
      resolve(socket)
    })
  })
}
