// What the server for guests shows of itself: a certificate of the user's, or one that it makes once and keeps, which
// guests know by its fingerprint.

import { createHash, createPrivateKey, generateKeyPairSync, sign, X509Certificate } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { createSecureContext } from 'node:tls'
import { certificateOf } from '../../common/certificate.ts'
import { replaceFileSync } from '../../common/data-folder.ts'
import { Failure, sentenceOf, systemCode } from '../../common/failure.ts'

export interface GuestCertificate {
  /** The key, and the certificate with those that vouch for it, in PEM. */
  readonly pem: string
  /** The SHA-256 of the certificate, in hex with colons. */
  readonly fingerprint: string
  /** `sha256//…` of its key, in base64. */
  readonly pin: string
  /** The first name that it is for, which no star stands for others in; undefined where it has none. */
  readonly name: string | undefined
}

/** The one in the data folder, made where there is none. Throws a `data` failure when it cannot be read or kept. */
export function keptCertificate(folder: string): GuestCertificate {
  const path = join(folder, 'guest_certificate.pem')
  try {
    return parsed(readFileSync(path, 'utf8'))
  } catch (error) {
    if (systemCode(error) !== 'ENOENT')
      throw new Failure('data', `${path} cannot be read; move it away to get a new one`, error)
  }
  const pem = makePem()
  try {
    replaceFileSync(path, pem)
  } catch (error) {
    throw new Failure('data', `${path} cannot be written: ${sentenceOf(error)}`, error)
  }
  return parsed(pem)
}

/** One of the user's. Throws a `start` failure that says what is wrong with it. */
export function ownCertificate(path: string): GuestCertificate {
  try {
    // Windows has other permissions.
    if (process.platform !== 'win32' && (statSync(path).mode & 0o007) !== 0)
      throw new Error(`everybody on this machine can get at its key; run: chmod o= ${path}`)
    return parsed(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new Failure('start', `the certificate ${path} cannot be used: ${sentenceOf(error)}`, error)
  }
}

/** By which it is noticed that a file has changed; undefined while it cannot be looked at. */
export function stampOf(path: string): string | undefined {
  try {
    const { ino, size, mtimeMs } = statSync(path)
    return `${ino} ${size} ${mtimeMs}`
  } catch {
    return undefined
  }
}

/** Throws what is wrong with it, for people. */
function parsed(pem: string): GuestCertificate {
  const certificate = new X509Certificate(pem)
  if (!certificate.checkPrivateKey(createPrivateKey(pem)))
    throw new Error('its key is not that of its first certificate')
  createSecureContext({ key: pem, cert: pem })
  const spki = certificate.publicKey.export({ type: 'spki', format: 'der' })
  const pin = `sha256//${createHash('sha256').update(spki).digest('base64')}`
  const names = Array.from(
    (certificate.subjectAltName ?? '').matchAll(/DNS:([^,\s]+)/g),
    ([, name = '']) => name,
  )
  const name = names.find((each) => /^[a-z0-9.-]+$/i.test(each))
  return { pem, fingerprint: certificate.fingerprint256, pin, name }
}

function makePem(): string {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  const certificate = certificateOf(spki, (bytes) => sign('sha256', bytes, privateKey), 'ecdsa')
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() + certificate
}
