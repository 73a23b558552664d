// Listens on a port, or says in a sentence why that is not possible.

import type { Server } from 'node:net'
import { formatAddress, type Address } from './addresses.ts'
import { Failure, sentenceOf } from './failure.ts'

/** Resolves to the address with the actual port. Rejects with a `start` failure. */
export function listenOn(server: Server, address: Address): Promise<Address> {
  return new Promise((resolve, reject) => {
    const refuse = (error: Error): void =>
      reject(new Failure('start', `cannot listen on ${formatAddress(address)}: ${sentenceOf(error)}`, error))
    server.once('error', refuse)
    server.listen({ host: address.host, port: address.port }, () => {
      server.off('error', refuse)
      const bound = server.address()
      resolve(bound === null || typeof bound === 'string' ? address : { ...address, port: bound.port })
    })
  })
}
