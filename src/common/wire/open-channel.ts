// Opens connections whose bodies are read straight into their buffers, plain or with TLS.

import { connect, type NetConnectOpts, type OnReadOpts, type Socket } from 'node:net'
import { connect as connectSecurely, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { formatAddress, type Address } from '../addresses.ts'
import { Failure, sentenceOf, systemCallOf } from '../failure.ts'
import { connectTimeoutMs, keepAliveAfterMs } from '../limits.ts'
import { Channel } from './channel.ts'
import { shakeHands } from './shake-hands.ts'
import type { Shaken, TlsSession, TlsSessions } from './tls-session.ts'
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
  /** Told how long the dial took, in milliseconds: a round trip, or more where this program is busy. */
  readonly onDialled?: ((tookMs: number) => void) | undefined
  /** Gives up as soon as it aborts, with a failure. */
  readonly signal?: AbortSignal | undefined
}

export interface TlsOptions {
  /** Whether the other end may have this key, or none: a failure if not. Asked before anything is sent. */
  readonly check: (key: string | undefined) => Failure | undefined
  /** Where they could be compiled. Without them, the socket is one of Node's for TLS. */
  readonly sessions?: TlsSessions
}

/** Small, so that little of the body after a line has to be copied out. */
const scratchBytes = 8 * 1024

/** Where sealed bytes arrive, on whatever connection: they are opened before the next ones are read. */
const sealedInput = Buffer.allocUnsafeSlow(256 * 1024)

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
    // This machine does not have the address to connect from, or not any more.
    if (systemCallOf(error) !== 'bind EADDRNOTAVAIL') throw error
    // To be seen at another address is better than not to be seen.
    const { localHost: _, localPort: __, ...rest } = options
    return open(targetOf(address, rest), address, lineBytesMax, rest)
  }
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
  options: Omit<OpenOptions, 'localHost' | 'localPort' | 'onDialled'>,
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
  { readBytesMax, tls, onDialled, signal }: OpenOptions,
): Promise<Channel> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    const session = tls?.sessions?.begin()
    // Node ignores `onread` where there is a socket already.
    const direct = target.socket === undefined
    let channel: Channel | undefined
    const onSealed = (own: TlsSession, bytes: Uint8Array): boolean => {
      if (channel === undefined) shake(own, bytes)
      else channel.open(bytes)
      return channel?.isClosed !== true
    }
    const onread =
      session === undefined
        ? readDirectly(() => channel, readBytesMax)
        : readSealed((bytes) => onSealed(session, bytes), readBytesMax)
    const dialledAtMs = performance.now()
    const socket = socketFor({ ...target, onread }, tls)
    if (onDialled !== undefined) socket.once('connect', () => onDialled(performance.now() - dialledAtMs))
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
    const onFailed = (error: Error): void => {
      onSettled()
      if (channel === undefined) session?.close()
      const sentence = `cannot connect to ${formatAddress(address)}: ${sentenceOf(error)}`
      reject(error instanceof Failure ? error : new Failure('connection-lost', sentence, error))
    }
    const onOpen = (shown?: Shaken): void => {
      onSettled()
      const wrong = tls === undefined ? undefined : problemWith(shown, tls, address)
      if (wrong === undefined) {
        channel = new Channel(socket, lineBytesMax, { direct, secure: shown?.secure, session })
        resolve(channel)
        return
      }
      session?.close()
      socket.destroy()
      reject(wrong)
    }
    const shake = (own: TlsSession, bytes: Uint8Array): void => {
      const rest = shakeHands(socket, own, bytes)
      if (rest === undefined) return
      socket.off('data', onData)
      onOpen(own.shaken())
      channel?.open(rest)
    }
    const onData = (bytes: Buffer): void => void (session !== undefined && onSealed(session, bytes))
    socket.once('error', onFailed)
    if (session === undefined && tls === undefined) socket.once('connect', () => onOpen())
    else if (session === undefined) socket.once('secureConnect', () => onOpen(shownBy(socket as TLSSocket)))
    else {
      socket.once('close', () => onFailed(new Error('the other end closed the connection')))
      if (!direct) socket.on('data', onData).resume()
      whenConnected(socket, () => shake(session, nothing))
    }
  })
}

const nothing = Buffer.alloc(0)

function whenConnected(socket: Socket, go: () => void): void {
  if (socket.connecting) socket.once('connect', go)
  else go()
}

/** The socket that reads as these options say; the one that is there already, unless TLS of Node's goes on top. */
function socketFor(options: ConnectionOptions & { onread: OnReadOpts }, tls: TlsOptions | undefined): Socket {
  if (tls !== undefined && tls.sessions === undefined)
    // Nothing of the certificate but its key counts, see tls.ts.
    return connectSecurely({ ...options, secureContext: callingContext(), rejectUnauthorized: false })
  return options.socket === undefined ? connect(options as NetConnectOpts) : (options.socket as Socket)
}

/** Lets a plain socket, or one of Node's for TLS, read straight into the body that is arriving. */
function readDirectly(channelOf: () => Channel | undefined, readBytesMax?: () => number): OnReadOpts {
  const scratch = Buffer.allocUnsafe(scratchBytes)
  return {
    buffer: () => channelOf()?.bodyRest?.subarray(0, readBytesMax?.()) ?? scratch,
    callback: (count, buffer) => {
      const channel = channelOf()
      if (buffer === scratch) channel?.feed(scratch.subarray(0, count))
      else channel?.bodyReceived(count)
      return channel?.isClosed === false
    },
  }
}

/** Hands over what arrives as it is. `take` has to be done with it when it returns whether to read on. */
function readSealed(take: (bytes: Uint8Array) => boolean, readBytesMax?: () => number): OnReadOpts {
  return {
    buffer: () => sealedInput.subarray(0, readBytesMax?.()),
    callback: (count, buffer) => take(buffer.subarray(0, count)),
  }
}

function shownBy(socket: TLSSocket): Shaken {
  return { secure: secureOf(socket), showsOthers: showsOthers(socket) }
}

function problemWith(
  shown: Shaken | undefined,
  { check }: TlsOptions,
  address: Address,
): Failure | undefined {
  const wrong = check(shown?.secure.peerKey)
  // Asked after the key was right: only then it is the fault of whoever has that key.
  if (wrong !== undefined || shown?.showsOthers !== true) return wrong
  return new Failure(
    'protocol',
    `${formatAddress(address)} shows a certificate of somebody else; somebody may be in between`,
  )
}
