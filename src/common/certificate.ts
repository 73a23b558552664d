// A certificate around a key, signed by that key itself (RFC 5280, RFC 8410), for TLS. Only the key in it means something:
// names and dates are there because a certificate must have some.

import { X509Certificate, type KeyObject } from 'node:crypto'

/** A DER value: its tag, its length in as few bytes as that takes, its content (X.690). Browsers take no other. */
function der(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const bytes = Buffer.concat(content)
  const { length } = bytes
  const lengthBytes =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...lengthBytes]), bytes])
}

const [integer, bitString, oid, utf8, sequence, set, utcTime, generalizedTime, version] = [
  2, 3, 6, 12, 0x30, 0x31, 0x17, 0x18, 0xa0,
]

/** id-Ed25519, 1.3.101.112 (RFC 8410, 3). */
const ed25519 = der(sequence, der(oid, Buffer.from([0x2b, 0x65, 0x70])))
/** ecdsa-with-SHA256, 1.2.840.10045.4.3.2 (RFC 5758, 3.2). */
const ecdsaWithSha256 = der(sequence, der(oid, Buffer.from([0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02])))
/** id-at-commonName, 2.5.4.3. */
const commonName = der(oid, Buffer.from([0x55, 0x04, 0x03]))
const name = der(sequence, der(set, der(sequence, commonName, der(utf8, Buffer.from('coterie')))))
/** No end (RFC 5280, 4.1.2.5): a pinned key is good as long as it is pinned. */
const validity = der(
  sequence,
  der(utcTime, Buffer.from('000101000000Z')),
  der(generalizedTime, Buffer.from('99991231235959Z')),
)

/**
 * The certificate of a key, in PEM.
 * @param publicKey as SubjectPublicKeyInfo, in DER
 * @param signRaw signs bytes with the private key
 * @param kind of the key; browsers know no Ed25519
 */
export function certificateOf(
  publicKey: Uint8Array,
  signRaw: (bytes: Uint8Array) => Uint8Array,
  kind: 'ed25519' | 'ecdsa' = 'ed25519',
): string {
  const algorithm = kind === 'ed25519' ? ed25519 : ecdsaWithSha256
  const serial = der(integer, Buffer.from([1]))
  const body = der(
    sequence,
    der(version, der(integer, Buffer.from([2]))),
    serial,
    algorithm,
    name,
    validity,
    name,
    publicKey,
  )
  const signature = der(bitString, Buffer.from([0]), signRaw(body))
  const certificate = der(sequence, body, algorithm, signature).toString('base64')
  return `-----BEGIN CERTIFICATE-----\n${certificate.replaceAll(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`
}

/** The Ed25519 key of a certificate in DER, in base64url; undefined for any other. Nothing else of it is looked at. */
export function keyOfCertificate(raw: Uint8Array): string | undefined {
  try {
    return rawKeyOf(new X509Certificate(raw).publicKey)
  } catch {
    return undefined
  }
}

function rawKeyOf(key: KeyObject): string | undefined {
  return key.asymmetricKeyType === 'ed25519' ? key.export({ format: 'jwk' }).x : undefined
}
