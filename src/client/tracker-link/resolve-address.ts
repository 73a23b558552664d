// Looks up host names of trackers, each time anew: an address may change while the client runs.

import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { formatAddress, type Address } from '../../common/addresses.ts'
import { Failure, sentenceOf } from '../../common/failure.ts'

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
