// The other end of a connection, which can send any record of TLS 1.3, good or bad: made of Node's ciphers, as RFC 8446 has it.

import { createCipheriv, createDecipheriv, createHmac, type CipherGCMTypes } from 'node:crypto'

/** Content types, and types of messages. */
export const type = { changeCipherSpec: 20, alert: 21, handshake: 22, application: 23 }
export const ticketMessage = 4
export const keyUpdateMessage = 24

interface Suite {
  readonly cipher: CipherGCMTypes
  readonly digest: string
  readonly keyBytes: number
}

const aes128: Suite = { cipher: 'aes-128-gcm', digest: 'sha256', keyBytes: 16 }
const suites: Readonly<Record<string, Suite>> = {
  TLS_AES_128_GCM_SHA256: aes128,
  TLS_AES_256_GCM_SHA384: { cipher: 'aes-256-gcm', digest: 'sha384', keyBytes: 32 },
  // As good as one of GCM, with these lengths.
  TLS_CHACHA20_POLY1305_SHA256: {
    cipher: 'chacha20-poly1305' as CipherGCMTypes,
    digest: 'sha256',
    keyBytes: 32,
  },
}
export const suiteNames = Object.keys(suites)

const tagBytes = 16

/** What one direction is encrypted with. */
export class RecordKeys {
  readonly #suite: Suite
  #secret: Buffer
  /** Of the next record. */
  number = 0

  constructor(secret: Buffer, suite = 'TLS_AES_128_GCM_SHA256') {
    this.#suite = suites[suite] ?? aes128
    this.#secret = secret
  }

  get key(): Buffer {
    return this.#expand('key', this.#suite.keyBytes)
  }

  get iv(): Buffer {
    return this.#expand('iv', 12)
  }

  /** HKDF-Expand-Label with an empty context, of at most one block. */
  #expand(label: string, bytes: number): Buffer {
    const full = Buffer.from(`tls13 ${label}`)
    const info = Buffer.concat([Buffer.from([0, bytes, full.length]), full, Buffer.from([0, 1])])
    return createHmac(this.#suite.digest, this.#secret).update(info).digest().subarray(0, bytes)
  }

  /** As behind a KeyUpdate. */
  renew(): void {
    this.#secret = this.#expand('traffic upd', this.#secret.length)
    this.number = 0
  }

  #nonce(): Buffer {
    const nonce = this.iv
    nonce.writeUInt32BE((nonce.readUInt32BE(8) ^ this.number++) >>> 0, 8)
    return nonce
  }

  sealed(inner: Uint8Array): Buffer {
    const head = headOf(inner.length + tagBytes)
    const options = { authTagLength: tagBytes }
    const cipher = createCipheriv(this.#suite.cipher, this.key, this.#nonce(), options).setAAD(head)
    return Buffer.concat([head, cipher.update(inner), cipher.final(), cipher.getAuthTag()])
  }

  /** Throws when its tag is wrong. */
  opened(record: Buffer): Buffer {
    const options = { authTagLength: tagBytes }
    const decipher = createDecipheriv(this.#suite.cipher, this.key, this.#nonce(), options)
    decipher.setAAD(record.subarray(0, 5)).setAuthTag(record.subarray(-tagBytes))
    return Buffer.concat([decipher.update(record.subarray(5, -tagBytes)), decipher.final()])
  }
}

/** Of a record that is so long behind it. */
export function headOf(bytes: number, contentType = type.application, version = 0x0303): Buffer {
  return Buffer.from([contentType, version >> 8, version & 255, bytes >> 8, bytes & 255])
}

/** `[content type, ...content]` of each record. */
export type Opened = (readonly [number, Buffer])[]

export class RecordPeer {
  readonly sending: RecordKeys
  readonly receiving: RecordKeys

  constructor(sending: RecordKeys, receiving: RecordKeys) {
    this.sending = sending
    this.receiving = receiving
  }

  record(content: Uint8Array, contentType = type.application, paddingBytes = 0): Buffer {
    return this.sending.sealed(
      Buffer.concat([content, Buffer.from([contentType]), Buffer.alloc(paddingBytes)]),
    )
  }

  /** A KeyUpdate, and new keys behind it. */
  keyUpdate(asks: boolean): Buffer {
    const record = this.record(keyUpdate(asks ? 1 : 0), type.handshake)
    this.sending.renew()
    return record
  }

  /** What these whole records contain; keys change as they say. */
  opened(bytes: Uint8Array): Opened {
    const all: Opened = []
    for (let rest = Buffer.from(bytes); rest.length > 0;) {
      const length = 5 + rest.readUInt16BE(3)
      const inner = this.receiving.opened(rest.subarray(0, length))
      rest = rest.subarray(length)
      const [contentType = 0, content] = [inner.at(-1), inner.subarray(0, -1)]
      all.push([contentType, content])
      if (contentType === type.handshake && content[0] === keyUpdateMessage) this.receiving.renew()
    }
    return all
  }
}

export function message(messageType: number, body: Uint8Array, bytes = body.length): Buffer {
  return Buffer.concat([Buffer.from([messageType, bytes >> 16, (bytes >> 8) & 255, bytes & 255]), body])
}

export function keyUpdate(asks: number): Buffer {
  return message(keyUpdateMessage, Buffer.from([asks]))
}
