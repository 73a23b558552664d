// Taking a port, and saying in a sentence why that was not possible.

import type { Server } from 'node:net'
import { formatAddress, type Address } from '../common/addresses.ts'
import { Failure, systemCode } from '../common/failure.ts'

/** The address with the port that was really taken. Rejects with a `start` failure. */
export function listenOn(server: Server, address: Address): Promise<Address> {
  return new Promise((resolve, reject) => {
    const refuse = (error: Error): void => reject(cannotListen(address, error))
    server.once('error', refuse)
    server.listen({ host: address.host, port: address.port }, () => {
      server.off('error', refuse)
      const bound = server.address()
      resolve(bound === null || typeof bound === 'string' ? address : { ...address, port: bound.port })
    })
  })
}

function cannotListen(address: Address, error: Error): Failure {
  const where = formatAddress(address)
  const sentences = new Map([
    ['EADDRINUSE', `cannot listen on ${where}: another program uses this port`],
    ['EADDRNOTAVAIL', `cannot listen on ${where}: this machine does not have that address`],
    ['EACCES', `cannot listen on ${where}: not permitted`],
  ])
  const sentence = sentences.get(systemCode(error) ?? '') ?? `cannot listen on ${where}: ${error.message}`
  return new Failure('start', sentence, error)
}
