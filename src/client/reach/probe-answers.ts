// Answers trackers that look from outside whether this client is where it says that it listens.

import type { Identity } from '../../common/security/identity.ts'
import { proveProbed } from '../../common/security/challenge.ts'
import { turnedAwayMs } from '../../common/limits.ts'
import type { OpenedWithRole } from '../../common/wire/listener.ts'
import { encodeProbed } from '../../common/wire/probed-line.ts'

/** Anybody may ask, and a signature takes time: each tracker asks once for a login. */
const answersPerSecond = 20

export class ProbeAnswers {
  readonly #identity: Identity
  readonly #nowMs: () => number
  #sinceMs = -Infinity
  #answers = 0

  /** `nowMs`: milliseconds, from any start. */
  constructor(identity: Identity, nowMs = () => performance.now()) {
    this.#identity = identity
    this.#nowMs = nowMs
  }

  /** Answers with its key and closes. False when it was asked too often. */
  take({ hello, socket }: OpenedWithRole): boolean {
    const nowMs = this.#nowMs()
    if (nowMs - this.#sinceMs >= 1000) {
      this.#sinceMs = nowMs
      this.#answers = 0
    }
    if (this.#answers >= answersPerSecond) return false
    this.#answers++
    const signature = proveProbed(this.#identity, hello.token)
    // Unread bytes would reset the connection, and the answer with it.
    socket.resume()
    socket.end(encodeProbed({ key: this.#identity.publicKey, signature }))
    const timer = setTimeout(() => socket.destroy(), turnedAwayMs)
    timer.unref()
    socket.once('close', () => clearTimeout(timer))
    return true
  }
}
