// One look from outside whether a client is where it says that it listens: dials there and asks for its key. Whoever
// listens there learns nothing but a random number.

import { connect } from 'node:net'
import type { Address } from '../../common/addresses.ts'
import { checkProbed, makeNonce } from '../../common/security/challenge.ts'
import { probedBytesMax, readProbed } from '../../common/wire/probed-line.ts'
import { encodeRoleHello } from '../../common/wire/role-hello.ts'

/** `key`: of the client that answered. `silent`: nobody did. `other`: something else listens there. */
export type Probed = { readonly key: string } | 'silent' | 'other'

/** Never rejects. Takes at most `timeoutMs` milliseconds. */
export function probe(address: Address, timeoutMs: number): Promise<Probed> {
  return new Promise((resolve) => {
    const nonce = makeNonce()
    const parts: Buffer[] = []
    let isConnected = false
    const socket = connect({ host: address.host, port: address.port, noDelay: true })
    const timer = setTimeout(() => socket.destroy(), timeoutMs)
    socket.once('connect', () => {
      isConnected = true
      socket.write(encodeRoleHello({ role: 'probes', token: nonce }))
    })
    socket.on('data', (bytes: Buffer) => {
      parts.push(bytes)
      const isTooLong = parts.reduce((sum, part) => sum + part.length, 0) > probedBytesMax
      if (isTooLong || bytes.includes('\n')) socket.destroy()
    })
    socket.on('error', () => socket.destroy())
    socket.once('close', () => {
      clearTimeout(timer)
      const answer = readProbed(Buffer.concat(parts))
      if (answer !== undefined && checkProbed(answer.key, answer.signature, nonce))
        resolve({ key: answer.key })
      else resolve(isConnected ? 'other' : 'silent')
    })
  })
}
