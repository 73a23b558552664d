// The Ed25519 key (RFC 8032) that identifies a program, made once and kept in a file that only its owner
// can read. Public keys are 32 bytes in base64url, signatures 64.

import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  verify,
  type KeyObject,
} from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { makePrivateFolder, replaceFileSync } from '../data-folder.ts'
import { Failure, sentenceOf, systemCode } from '../failure.ts'
import { certificateOf } from '../certificate.ts'

export interface Identity {
  readonly publicKey: string
  /** Signs `context` and the parts, each bound to its position. */
  sign(context: string, ...parts: readonly string[]): string
  /** The private key and a certificate around it, in PEM, for TLS. */
  readonly forTls: { readonly key: string; readonly cert: string }
}

/** What people compare: `sha256:` and the SHA-256 of a public key, in base64url. */
export function fingerprintOf(publicKey: string): string {
  return `sha256:${createHash('sha256').update(Buffer.from(publicKey, 'base64url')).digest('base64url')}`
}

/** A new identity that is not saved. */
export function makeIdentity(): Identity {
  return identityOf(createPrivateKey(newKey()))
}

/**
 * Loads the identity in this folder, or makes one. Throws a `data` failure when it is damaged or unreadable, or others
 * can read it.
 */
export function loadIdentity(folder: string): Identity {
  const path = join(folder, 'identity.pem')
  let pem: string
  try {
    pem = readFileSync(path, 'utf8')
  } catch (error) {
    if (systemCode(error) !== 'ENOENT')
      throw new Failure('data', `cannot read the identity key ${path}`, error)
    makePrivateFolder(folder)
    return makeKept(path)
  }
  let identity: Identity
  try {
    identity = identityOf(createPrivateKey(pem))
  } catch (error) {
    throw new Failure('data', `the identity key ${path} is damaged; move it away to get a new one`, error)
  }
  refuseIfOpen(path)
  return identity
}

/** A copy of a data folder may have lost its permissions. Windows has others. */
function refuseIfOpen(path: string): void {
  if (process.platform === 'win32' || (statSync(path).mode & 0o077) === 0) return
  throw new Failure(
    'data',
    `others on this machine can get at the identity key ${path}; if nobody has, run: chmod 600 ${path}, else move it away to get a new one`,
  )
}

function makeKept(path: string): Identity {
  const pem = newKey()
  try {
    replaceFileSync(path, pem)
  } catch (error) {
    throw new Failure('data', `cannot write the identity key ${path}: ${sentenceOf(error)}`, error)
  }
  return identityOf(createPrivateKey(pem))
}

/**
 * A new private key in PEM. Node 20 can deadlock when a freshly generated key object is exported: exporting
 * locks the key, and a garbage collection of the generator at that moment takes the same lock on the same
 * thread. One in a thousand first starts hung.
 */
function newKey(): string {
  return generateKeyPairSync('ed25519', {
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  }).privateKey
}

function identityOf(privateKey: KeyObject): Identity {
  const publicKey = createPublicKey(privateKey).export({ format: 'jwk' }).x
  if (publicKey === undefined || privateKey.asymmetricKeyType !== 'ed25519')
    throw new Failure('data', 'the identity key is not an Ed25519 key')
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' })
  const key = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
  return {
    publicKey,
    sign: (context, ...parts) => sign(null, bound(context, parts), privateKey).toString('base64url'),
    forTls: { key, cert: certificateOf(spki, (bytes) => sign(null, bytes, privateKey)) },
  }
}

/** Whether the holder of `publicKey` signed `context` and the parts. False for malformed input. */
export function verifySignature(
  publicKey: string,
  signature: string,
  context: string,
  ...parts: readonly string[]
): boolean {
  // Node also decodes other spellings of the same bytes. Accepting them would let one key pass for several
  // wherever keys are compared as text.
  if (!isCanonical(publicKey, 32) || !isCanonical(signature, 64)) return false
  try {
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: publicKey }, format: 'jwk' })
    return verify(null, bound(context, parts), key, Buffer.from(signature, 'base64url'))
  } catch {
    return false
  }
}

function isCanonical(text: string, byteCount: number): boolean {
  const bytes = Buffer.from(text, 'base64url')
  return bytes.length === byteCount && bytes.toString('base64url') === text
}

/** The bytes to sign. JSON separates the parts: ["ab","c"] and ["a","bc"] sign differently. */
function bound(context: string, parts: readonly string[]): Buffer {
  return Buffer.from(JSON.stringify([context, ...parts]))
}
