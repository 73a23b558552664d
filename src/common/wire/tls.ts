// TLS 1.3 with the identity keys of both ends, on the ports of the plain protocol. Certificates are not checked: the
// key in them is compared with the one that is expected, and each end proves during the handshake that it has it.

import { createSecureContext, type SecureContext, type TLSSocket } from 'node:tls'
import { keyOfCertificate } from '../certificate.ts'

/** What this end shows: see `Identity.forTls`. */
export interface TlsKey {
  readonly key: string
  readonly cert: string
}

/** The first byte of TLS: a handshake record (RFC 8446, 5.1). No line of JSON begins with it. */
export const handshakeByte = 0x16

/** Fast with the instructions that nearly all processors have; the second one for those without. */
const ciphers = 'TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384'

/** For both ends of connections of this identity. */
export function secureContextOf({ key, cert }: TlsKey): SecureContext {
  return createSecureContext({ key, cert, ciphers, minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' })
}

/** What both ends of an encrypted connection know. */
export interface Secure {
  /**
   * The key that the other end has proved, in base64url; undefined when it showed none that counts. A resumed session
   * shows no certificate, and could be one of another end: it counts as none.
   */
  readonly peerKey: string | undefined
  /** 32 bytes that both ends of this connection share, and no other (RFC 9266), in base64. */
  readonly binding: string
}

/** Of a connection whose handshake is done. */
export function secureOf(socket: TLSSocket): Secure {
  // Not getPeerX509Certificate: after the first call it returns nothing.
  const { raw } = socket.getPeerCertificate() as { raw?: Buffer }
  const peerKey = raw === undefined || socket.isSessionReused() ? undefined : keyOfCertificate(raw)
  const binding = socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0))
  return { peerKey, binding: binding.toString('base64') }
}
