// TLS 1.3 with the identity key of the end that was called, on the ports of the plain protocol. Its certificate is not
// checked: the key in it is compared with the one that is expected, and the handshake proves that it has it. The caller
// shows none: it proves its key inside, bound to the connection.

import { constants } from 'node:crypto'
import { createSecureContext, type SecureContext, type TLSSocket } from 'node:tls'
import { keyOfCertificate } from '../certificate.ts'

/** What the called end shows: see `Identity.forTls`. */
export interface TlsKey {
  readonly key: string
  readonly cert: string
}

/** The first byte of TLS: a handshake record (RFC 8446, 5.1). No line of JSON begins with it. */
export const handshakeByte = 0x16

/** Fast with the instructions that nearly all processors have; the second one for those without. */
export const ciphers = 'TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384'
/** No other: by default a caller may choose a group that costs the other end 150 ms of its processor. */
export const ecdhCurve = 'X25519'

const parameters = {
  minVersion: 'TLSv1.3',
  maxVersion: 'TLSv1.3',
  ciphers,
  ecdhCurve,
  /** A resumed session shows no certificate, and saves next to nothing. */
  secureOptions: constants.SSL_OP_NO_TICKET,
} as const

/** For connections that come to this identity. */
export function secureContextOf({ key, cert }: TlsKey): SecureContext {
  return createSecureContext({ ...parameters, key, cert })
}

let forCalling: SecureContext | undefined

/** For connections that this program opens. It has no certificate, so whoever asks for one learns nothing. */
export function callingContext(): SecureContext {
  return (forCalling ??= createSecureContext(parameters))
}

/** What an end of an encrypted connection knows. */
export interface Secure {
  /** The key that the called end has proved, in base64url; undefined at that end itself, and where it showed none. */
  readonly peerKey: string | undefined
  /** 32 bytes that both ends of this connection share, and no other (RFC 9266), in base64. */
  readonly binding: string
}

/** Of a connection whose handshake is done. */
export function secureOf(socket: TLSSocket): Secure {
  const { raw } = shownBy(socket, false)
  // The session of a resumed one could be that of another end.
  const peerKey = raw === undefined || socket.isSessionReused() ? undefined : keyOfCertificate(raw)
  const binding = socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0))
  return { peerKey, binding: binding.toString('base64') }
}

/**
 * Whether the other end has shown certificates of others that vouch for its own. To verify a chain of them costs this end
 * up to half a second of its processor, and no program of ours has one.
 */
export function showsOthers(socket: TLSSocket): boolean {
  const shown = shownBy(socket, true)
  return shown.raw !== undefined && shown.issuerCertificate !== shown
}

/** With issuers, one that is signed by its own key alone is its own. They take 0.15 ms, and the rest 0.01. */
function shownBy(socket: TLSSocket, withIssuers: boolean): { raw?: Buffer; issuerCertificate?: unknown } {
  // Not getPeerX509Certificate: after the first call it returns nothing.
  return withIssuers ? socket.getPeerCertificate(true) : socket.getPeerCertificate()
}
