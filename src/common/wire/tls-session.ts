// TLS 1.3 as in tls.ts, on bytes in memory: by tls-session.c, where the build could compile it, with the handshake and the
// ciphers of the OpenSSL that Node itself contains. A socket of Node's hands over 16 KiB at a time, which costs a client at
// full speed more than the encryption. The bytes on the line are the same.

import { keyOfCertificate } from '../certificate.ts'
import { compiledFile, loadCompiled } from '../compiled-file.ts'
import { Failure } from '../failure.ts'
import { ciphers, ecdhCurve, type Secure, type TlsKey } from './tls.ts'

type Context = object
type Session = object

/** What tls-session.c exports, which says what each does. Those that take bytes throw OpenSSL's reason. */
export interface TlsFunctions {
  readonly context: (suites: string, groups: string, key?: Uint8Array, certificate?: Uint8Array) => Context
  readonly session: (context: Context) => Session
  readonly shake: (session: Session, input: Uint8Array, result: Int32Array) => void
  readonly open: (session: Session, input: Uint8Array, target: Uint8Array, result: Int32Array) => void
  readonly seal: (session: Session, bytes: Uint8Array, target: Uint8Array) => number
  readonly output: (session: Session) => Buffer | undefined
  readonly secure: (session: Session) => [certificate: Buffer | undefined, isAlone: boolean, binding: Buffer]
  readonly end: (session: Session) => void
  readonly free: (session: Session) => void
}

/** The functions in the file at `path`; undefined when it is missing, or this Node lacks what it needs. */
export function loadTlsFunctions(path: string): TlsFunctions | undefined {
  const compiled = loadCompiled<TlsFunctions>(path)
  return compiled.free === undefined ? undefined : (compiled as TlsFunctions)
}

/** Those that were compiled, where there are such. */
export const compiledTls = loadTlsFunctions(compiledFile('tls-session.node'))

/** Begins sessions of one kind. */
export class TlsSessions {
  readonly #functions: TlsFunctions
  readonly #context: Context

  /** `key`: of this end, which is called; without one, this end calls. Throws when the key is none. */
  constructor(functions: TlsFunctions, key?: TlsKey) {
    this.#functions = functions
    this.#context = functions.context(
      ciphers,
      ecdhCurve,
      key === undefined ? undefined : Buffer.from(key.key),
      key === undefined ? undefined : Buffer.from(key.cert),
    )
  }

  begin(): TlsSession {
    return new TlsSession(this.#functions, this.#functions.session(this.#context))
  }
}

/** What came out of a handshake. */
export interface Shaken {
  readonly secure: Secure
  /** See `showsOthers` in tls.ts. */
  readonly showsOthers: boolean
}

/** Sealed bytes, to be written to the socket. */
export interface Sealed {
  readonly bytes: Uint8Array
  /** The system has taken them, or never will. */
  readonly release: () => void
}

/** What a record adds: its head, the type of its content, and its tag (RFC 8446, 5.2). */
const recordExtraBytes = 5 + 1 + 16
const recordBytes = 16 * 1024
/** Before them it may have to be said that new keys come: the other end wanted them, or these were in use for long. */
const keyUpdateBytes = recordExtraBytes + 5

/** Where what was sealed goes when it is no body, until it has been looked at: the longest record. */
export const opened = Buffer.allocUnsafeSlow(recordBytes)

/** Long buffers for sealed bytes that are in no use. A fresh one costs a page fault for every 4 KiB. */
const kept: Buffer[] = []
const keptMax = 8
/** Longer ones are kept: a piece, sealed. */
const longBytes = 528 * 1024
/** Shorter bytes get a buffer of their own length. */
const shortBytes = 64 * 1024

const stateDone = 1
const stateEnded = 2

export class TlsSession {
  readonly #functions: TlsFunctions
  readonly #session: Session
  readonly #result = new Int32Array(3)
  #isEnded = false
  #isBroken = false
  #isFreed = false

  constructor(functions: TlsFunctions, session: Session) {
    this.#functions = functions
    this.#session = session
  }

  /** Whether the other end has said that it sends nothing more. */
  get isEnded(): boolean {
    return this.#isEnded
  }

  /** Whether `open` has thrown: nothing can be sealed any more. */
  get isBroken(): boolean {
    return this.#isBroken
  }

  /**
   * Goes on with the handshake. Returns what came behind it, once it is done, else undefined. Send `output` afterwards,
   * also when this throws OpenSSL's reason.
   */
  shake(bytes: Uint8Array): Uint8Array | undefined {
    this.#functions.shake(this.#session, bytes, this.#result)
    if (this.#result[2] === stateEnded) throw new Error('the other end closed the connection')
    return this.#result[2] === stateDone ? bytes.subarray(this.#result[0]) : undefined
  }

  /** Call it once, when the handshake is done. */
  shaken(): Shaken {
    const [certificate, isAlone, binding] = this.#functions.secure(this.#session)
    const peerKey = certificate === undefined ? undefined : keyOfCertificate(certificate)
    return { secure: { peerKey, binding: binding.toString('base64') }, showsOthers: !isAlone }
  }

  /**
   * Decrypts into `target`, until it is full or nothing more can be. Returns how many bytes of `bytes` were used; all of
   * them unless the target is full. `filled` says how much is in the target. Throws a `connection-lost` failure with a
   * reason in OpenSSL's words, and then `close` returns what tells the other end.
   */
  open(bytes: Uint8Array, target: Uint8Array): number {
    try {
      this.#functions.open(this.#session, bytes, target, this.#result)
    } catch (error) {
      if (!(error instanceof Error)) throw error
      this.#isBroken = true
      throw new Failure('connection-lost', `the connection broke: ${error.message}`, error)
    }
    this.#isEnded = this.#result[2] === stateEnded
    return this.#result[0] ?? 0
  }

  /** Bytes that the last `open` has decrypted. */
  get filled(): number {
    return this.#result[1] ?? 0
  }

  /** Encrypts these bytes, which may then be used for others. */
  seal(bytes: Uint8Array): Sealed {
    const records = Math.ceil(bytes.length / recordBytes)
    const length = bytes.length + records * recordExtraBytes + keyUpdateBytes
    if (length < shortBytes || length > longBytes)
      return { bytes: this.#sealInto(Buffer.allocUnsafe(length), bytes), release: () => undefined }
    const buffer = kept.pop() ?? Buffer.allocUnsafeSlow(longBytes)
    return {
      bytes: this.#sealInto(buffer, bytes),
      release: () => {
        if (kept.length < keptMax) kept.push(buffer)
      },
    }
  }

  #sealInto(buffer: Buffer, bytes: Uint8Array): Uint8Array {
    return buffer.subarray(0, this.#functions.seal(this.#session, bytes, buffer))
  }

  /** What the handshake has to say to the other end; undefined for nothing. */
  output(): Uint8Array | undefined {
    return this.#functions.output(this.#session)
  }

  /** Ends it and frees its memory: nothing may be called any more but this. Returns what is to be sent last. */
  close(): Uint8Array | undefined {
    if (this.#isFreed) return undefined
    this.#isFreed = true
    this.#functions.end(this.#session)
    const last = this.#functions.output(this.#session)
    this.#functions.free(this.#session)
    return last
  }
}
