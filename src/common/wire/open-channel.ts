// Opens connections whose bodies are read straight into their buffers.

import { connect } from 'node:net'
import { formatAddress, type Address } from '../addresses.ts'
import { Failure } from '../failure.ts'
import { connectTimeoutMs } from '../limits.ts'
import { Channel } from './channel.ts'

export interface OpenOptions {
  /** The address to connect from: the other end takes it as the address of this program. */
  readonly localHost?: string | undefined
  /** The most bytes of a body to read at once, for a reader that limits its rate. */
  readonly readBytesMax?: () => number
}

/** Small, so that little of the body after a line has to be copied out. */
const scratchBytes = 8 * 1024

/** Rejects with a `connection-lost` or `timeout` failure that names the address. */
export function openChannel(
  address: Address,
  lineBytesMax: number,
  { localHost, readBytesMax }: OpenOptions = {},
): Promise<Channel> {
  return new Promise((resolve, reject) => {
    const scratch = Buffer.allocUnsafe(scratchBytes)
    let channel: Channel | undefined
    const socket = connect({
      host: address.host,
      port: address.port,
      ...(localHost === undefined ? {} : { localAddress: localHost }),
      onread: {
        buffer: () => channel?.bodyRest?.subarray(0, readBytesMax?.()) ?? scratch,
        callback: (count, buffer) => {
          if (buffer === scratch) channel?.feed(scratch.subarray(0, count))
          else channel?.bodyReceived(count)
          return channel?.isClosed === false
        },
      },
    })
    const timer = setTimeout(() => {
      socket.destroy(new Failure('timeout', `${formatAddress(address)} does not answer`))
    }, connectTimeoutMs)
    socket.once('error', (error) => {
      clearTimeout(timer)
      const sentence = `cannot connect to ${formatAddress(address)}: ${error.message}`
      reject(error instanceof Failure ? error : new Failure('connection-lost', sentence, error))
    })
    socket.once('connect', () => {
      clearTimeout(timer)
      channel = new Channel(socket, lineBytesMax, true)
      resolve(channel)
    })
  })
}
