// Looks up host names, each time anew: an address may change while a program runs.

import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { formatAddress, type Address } from './addresses.ts'
import { Failure, sentenceOf } from './failure.ts'

/** Rejects with a `connection-lost` failure when nobody has that name, or nobody can be asked. */
export async function resolveAddress(address: Address): Promise<Address> {
  if (isIP(address.host) !== 0) return address
  try {
    const { address: host } = await lookup(address.host)
    return { host, port: address.port }
  } catch (error) {
    const sentence = `cannot find ${formatAddress(address)}: ${sentenceOf(error)}`
    throw new Failure('connection-lost', sentence, error)
  }
}
