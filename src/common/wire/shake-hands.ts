// The handshake of a TLS session over a plain socket.

import type { Socket } from 'node:net'
import type { TlsSession } from './tls-session.ts'

/**
 * Takes bytes that arrived, and sends what the session answers. Returns those behind the handshake once it is done, else
 * undefined. A handshake that fails ends the socket with OpenSSL's reason; the other end has been told.
 */
export function shakeHands(socket: Socket, session: TlsSession, bytes: Uint8Array): Uint8Array | undefined {
  let rest: Uint8Array | undefined
  let problem: Error | undefined
  try {
    rest = session.shake(bytes)
  } catch (error) {
    if (!(error instanceof Error)) throw error
    problem = error
  }
  const answer = session.output()
  if (answer !== undefined && socket.writable) socket.write(answer)
  if (problem !== undefined) socket.destroy(problem)
  return rest
}
