// Opens connections whose bodies are read straight into their buffers, plain or with TLS.

import { connect, type NetConnectOpts, type OnReadOpts, type Socket } from 'node:net'
import { connect as connectSecurely, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { formatAddress, type Address } from '../addresses.ts'
import { Failure, sentenceOf } from '../failure.ts'
import { connectTimeoutMs, keepAliveAfterMs } from '../limits.ts'
import { Channel } from './channel.ts'
import { callingContext, secureOf, showsOthers } from './tls.ts'

export interface OpenOptions {
  /** The address to connect from: the other end takes it as the address of this program. */
  readonly localHost?: string | undefined
  /** The port to connect from; 0 for one that later connections of this program may share. */
  readonly localPort?: number | undefined
  /** The most bytes of a body to read at once, for a reader that limits its rate. */
  readonly readBytesMax?: () => number
  /** Encrypts the connection; without it, it is plain. */
  readonly tls?: TlsOptions | undefined
  /** Gives up as soon as it aborts, with a failure. */
  readonly signal?: AbortSignal | undefined
}

export interface TlsOptions {
  /** Whether the other end may have this key, or none: a failure if not. Asked before anything is sent. */
  readonly check: (key: string | undefined) => Failure | undefined
}

/** Small, so that little of the body after a line has to be copied out. */
const scratchBytes = 8 * 1024

/**
 * Rejects with a `connection-lost` or `timeout` failure that names the address, with that of `check` or of `signal`, or
 * with a `protocol` failure when an end with the right key shows certificates of others.
 */
export async function openChannel(
  address: Address,
  lineBytesMax: number,
  options: OpenOptions = {},
): Promise<Channel> {
  try {
    return await open(targetOf(address, options), address, lineBytesMax, options)
  } catch (error) {
    if (!isLocalHostGone(error)) throw error
    // To be seen at another address is better than not to be seen.
    const { localHost: _, localPort: __, ...rest } = options
    return open(targetOf(address, rest), address, lineBytesMax, rest)
  }
}

/** Whether this machine does not have the address to connect from, or not any more. */
function isLocalHostGone(error: unknown): boolean {
  const cause = error instanceof Failure ? error.cause : undefined
  return (
    cause instanceof Error &&
    'code' in cause &&
    cause.code === 'EADDRNOTAVAIL' &&
    'syscall' in cause &&
    cause.syscall === 'bind'
  )
}

function targetOf({ host, port }: Address, { localHost, localPort }: OpenOptions): ConnectionOptions {
  const address = localHost === undefined ? {} : { localAddress: localHost }
  return { host, port, ...address, ...(localPort === undefined ? {} : { localPort }) }
}

/**
 * Likewise on a connection that exists already; whoever dialled it, this end calls. `address` is where the other end is,
 * for sentences. Nothing may have been read from the socket but what came before the other end's first word.
 */
export function openChannelOver(
  socket: Socket,
  address: Address,
  lineBytesMax: number,
  options: Omit<OpenOptions, 'localHost' | 'localPort'>,
): Promise<Channel> {
  if (options.tls === undefined) return Promise.resolve(new Channel(socket, lineBytesMax))
  // The one on top reports what breaks.
  socket.on('error', () => socket.destroy())
  return open({ socket }, address, lineBytesMax, options)
}

function open(
  target: ConnectionOptions,
  address: Address,
  lineBytesMax: number,
  { readBytesMax, tls, signal }: OpenOptions,
): Promise<Channel> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    // Node ignores `onread` where there is a socket already.
    const direct = target.socket === undefined
    const scratch = Buffer.allocUnsafe(scratchBytes)
    let channel: Channel | undefined
    const options = {
      ...target,
      onread: {
        buffer: () => channel?.bodyRest?.subarray(0, readBytesMax?.()) ?? scratch,
        callback: (count, buffer) => {
          if (buffer === scratch) channel?.feed(scratch.subarray(0, count))
          else channel?.bodyReceived(count)
          return channel?.isClosed === false
        },
      } satisfies OnReadOpts,
    }
    const socket =
      tls === undefined
        ? connect(options as NetConnectOpts)
        : // Nothing of the certificate but its key counts, see tls.ts.
          connectSecurely({ ...options, secureContext: callingContext(), rejectUnauthorized: false })
    socket.setKeepAlive(true, keepAliveAfterMs)
    const timer = setTimeout(() => {
      socket.destroy(new Failure('timeout', `${formatAddress(address)} does not answer`))
    }, connectTimeoutMs)
    const giveUp = (): void => void socket.destroy(signal?.reason as Failure)
    signal?.addEventListener('abort', giveUp)
    const onSettled = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', giveUp)
    }
    socket.once('error', (error) => {
      onSettled()
      const sentence = `cannot connect to ${formatAddress(address)}: ${sentenceOf(error)}`
      reject(error instanceof Failure ? error : new Failure('connection-lost', sentence, error))
    })
    socket.once(tls === undefined ? 'connect' : 'secureConnect', () => {
      onSettled()
      const secure = tls === undefined ? undefined : secureOf(socket as TLSSocket)
      const wrong = tls?.check(secure?.peerKey) ?? (tls && problemWith(socket as TLSSocket, address))
      if (wrong !== undefined) {
        socket.destroy()
        reject(wrong)
        return
      }
      channel = new Channel(socket, lineBytesMax, { direct, secure })
      resolve(channel)
    })
  })
}

/** Asked after the key was right: only then it is the fault of whoever has that key. */
function problemWith(socket: TLSSocket, address: Address): Failure | undefined {
  if (!showsOthers(socket)) return undefined
  return new Failure(
    'protocol',
    `${formatAddress(address)} shows a certificate of somebody else; somebody may be in between`,
  )
}
