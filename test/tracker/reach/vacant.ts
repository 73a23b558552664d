// An address on which nobody listens.

import { createServer, type AddressInfo } from 'node:net'
import type { Address } from '../../../src/common/addresses.ts'

/** Of this machine: one that was free a moment ago. */
export async function vacantAddress(): Promise<Address> {
  const server = createServer()
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise<void>((resolve) => void server.close(() => resolve()))
  return { host: '127.0.0.1', port }
}
