// SCRAM-SHA-256 (RFC 5802, RFC 7677), both ends, without I/O; SCRAM-SHA-256-PLUS on an encrypted connection, to which
// the proofs are bound (tls-exporter, RFC 9266). The password never leaves the client, and what the tracker keeps does
// not let it log in anywhere as that user.

import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { Failure } from '../failure.ts'
import { scramIterationsMax, scramIterationsMin } from '../limits.ts'
import { stretch } from './stretching.ts'

/** What a tracker keeps of a password. Keys and salt in base64. */
export interface Credentials {
  readonly salt: string
  readonly iterations: number
  readonly storedKey: string
  readonly serverKey: string
}

/** What a client derives from a password; enough to log in again with the same salt (RFC 5802, 3). */
export interface ClientKeys {
  readonly salt: string
  readonly iterations: number
  readonly clientKey: Buffer
  readonly serverKey: Buffer
}

/** Slow on purpose. The password is normalised to NFKC, the essence of SASLprep (RFC 4013). */
export async function deriveKeys(password: string, salt: string, iterations: number): Promise<ClientKeys> {
  const salted = await stretch(password.normalize('NFKC'), Buffer.from(salt, 'base64'), iterations)
  return { salt, iterations, clientKey: hmac(salted, 'Client Key'), serverKey: hmac(salted, 'Server Key') }
}

export function credentialsOf(keys: ClientKeys): Credentials {
  return {
    salt: keys.salt,
    iterations: keys.iterations,
    storedKey: sha256(keys.clientKey).toString('base64'),
    serverKey: keys.serverKey.toString('base64'),
  }
}

/** Supplies the keys for a login: those of the last one if the salt is the same, else derived from the password. */
export type KeySource = (salt: string, iterations: number) => Promise<ClientKeys>

/** The client's end of one login. */
export class ScramClient {
  readonly #firstBare: string
  readonly #nonce: string
  readonly #binding: string | undefined
  #expectedServerSignature: Buffer | undefined

  /** `binding`: what both ends of an encrypted connection share, in base64; undefined for a plain one. */
  constructor(user: string, nonce: string, binding?: string) {
    this.#nonce = nonce
    this.#binding = binding
    // `=` and `,` separate attributes, so RFC 5802 escapes them. Our user names have neither.
    this.#firstBare = `n=${user.replaceAll('=', '=3D').replaceAll(',', '=2C')},r=${nonce}`
  }

  get clientFirst(): string {
    return headerOf(this.#binding) + this.#firstBare
  }

  /**
   * What the server's challenge says of the password. Throws a `protocol` failure for a challenge that does not answer
   * this login, or asks for too few iterations (cheap guessing for an impostor of the tracker) or too many (a way to
   * keep this computer busy).
   */
  stretchingOf(
    serverFirst: string,
    iterationsMin = scramIterationsMin,
  ): { nonce: string; salt: string; iterations: number } {
    const { r: nonce, s: salt, i } = attributes(serverFirst)
    const iterations = Number(i)
    if (
      nonce === undefined ||
      salt === undefined ||
      !nonce.startsWith(this.#nonce) ||
      nonce === this.#nonce
    ) {
      throw new Failure('protocol', 'the tracker may be an impostor: its answer to the login is not right')
    }
    if (!Number.isSafeInteger(iterations) || iterations < iterationsMin || iterations > scramIterationsMax) {
      throw new Failure(
        'protocol',
        'the tracker may be an impostor: it asks for an unsafe number of password iterations',
      )
    }
    return { nonce, salt, iterations }
  }

  /** The client's proof for the server's challenge. Rejects as `stretchingOf` throws. */
  async clientFinal(
    serverFirst: string,
    keySource: KeySource,
    iterationsMin = scramIterationsMin,
  ): Promise<string> {
    const { nonce, salt, iterations } = this.stretchingOf(serverFirst, iterationsMin)
    const keys = await keySource(salt, iterations)
    const withoutProof = `c=${channelBinding(this.#binding)},r=${nonce}`
    const authMessage = `${this.#firstBare},${serverFirst},${withoutProof}`
    const signature = hmac(sha256(keys.clientKey), authMessage)
    this.#expectedServerSignature = hmac(keys.serverKey, authMessage)
    return `${withoutProof},p=${xor(keys.clientKey, signature).toString('base64')}`
  }

  /** Whether the server knows the credentials too, which an impostor does not. */
  isServerGenuine(serverFinal: string): boolean {
    const { v: signature } = attributes(serverFinal)
    return signature !== undefined && same(Buffer.from(signature, 'base64'), this.#expectedServerSignature)
  }
}

/**
 * The user and nonce of a client-first message; undefined when it is malformed, or not bound to the connection that it
 * came on: somebody in between would take the binding away.
 */
export function parseClientFirst(
  clientFirst: string,
  binding?: string,
): { user: string; bare: string; nonce: string } | undefined {
  const header = headerOf(binding)
  if (!clientFirst.startsWith(header)) return undefined
  const match = /^(n=([^,]*),r=([\x21-\x2b\x2d-\x7e]+))$/.exec(clientFirst.slice(header.length))
  if (match?.[1] === undefined || match[2] === undefined || match[3] === undefined) return undefined
  return { bare: match[1], user: match[2].replaceAll('=2C', ',').replaceAll('=3D', '='), nonce: match[3] }
}

/** The server's challenge. `serverNonce` is appended to the client's. */
export function serverFirstMessage(
  clientNonce: string,
  serverNonce: string,
  credentials: Credentials,
): string {
  return `r=${clientNonce}${serverNonce},s=${credentials.salt},i=${credentials.iterations}`
}

/** Checks the proof of a login. Returns the server's final message, or undefined when the proof is wrong. */
export function checkClientFinal(
  clientFirstBare: string,
  serverFirst: string,
  clientFinal: string,
  credentials: Credentials,
  binding?: string,
): string | undefined {
  const { c: shown, r: nonce, p: proof } = attributes(clientFinal)
  const expected = channelBinding(binding)
  if (shown !== expected || proof === undefined || nonce !== attributes(serverFirst)['r']) return undefined
  const authMessage = `${clientFirstBare},${serverFirst},c=${expected},r=${nonce}`
  const signature = hmac(Buffer.from(credentials.storedKey, 'base64'), authMessage)
  const proofBytes = Buffer.from(proof, 'base64')
  if (proofBytes.length !== signature.length) return undefined
  const clientKey = xor(proofBytes, signature)
  if (!same(sha256(clientKey), Buffer.from(credentials.storedKey, 'base64'))) return undefined
  return `v=${hmac(Buffer.from(credentials.serverKey, 'base64'), authMessage).toString('base64')}`
}

/** Fake credentials, always the same for a name, so that nobody can tell whether the user exists (RFC 5802, 9). */
export function madeUpCredentials(secret: string, user: string, iterations: number): Credentials {
  const salt = hmac(Buffer.from(secret), `salt ${user}`).subarray(0, 16).toString('base64')
  const key = hmac(Buffer.from(secret), `key ${user}`).toString('base64')
  return { salt, iterations, storedKey: key, serverKey: key }
}

/** The GS2 header (RFC 5802, 7): which channel binding is used, if any. */
function headerOf(binding: string | undefined): string {
  return binding === undefined ? 'n,,' : 'p=tls-exporter,,'
}

/** The attribute `c`: the header, and the bytes of the binding. */
function channelBinding(binding: string | undefined): string {
  const bytes = Buffer.from(binding ?? '', 'base64')
  return Buffer.concat([Buffer.from(headerOf(binding)), bytes]).toString('base64')
}

function attributes(message: string): Record<string, string | undefined> {
  const found: Record<string, string | undefined> = Object.create(null) as Record<string, undefined>
  for (const part of message.split(',')) {
    if (part[1] === '=' && part[0] !== undefined) found[part[0]] = part.slice(2)
  }
  return found
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest()
}

function xor(a: Buffer, b: Buffer): Buffer {
  return Buffer.from(a.map((byte, index) => byte ^ (b[index] ?? 0)))
}

function same(a: Buffer, b: Buffer | undefined): boolean {
  return b !== undefined && a.length === b.length && timingSafeEqual(a, b)
}
