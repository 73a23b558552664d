// Who may use the page: a browser that came by a link of this client. A link holds a token that is good once and for a
// short time; it becomes a cookie and a key that are good until the client ends. The cookie goes to every port of this
// machine that the browser is led to, so it is worth nothing alone. The key stays in the page.

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { pageLimits } from './limits.ts'

export class Access {
  readonly #nowMs: () => number
  /** When each link was made, by the hash of its token, oldest first. */
  readonly #links = new Map<string, number>()
  /** Hashes of the cookies, the one that was shown last behind. */
  readonly #browsers = new Set<string>()

  /** The scripts of the page show it with all that they ask for. */
  readonly key = secret()
  /** Addresses of files have it, since a browser asks for pictures by itself: good for reading alone. */
  readonly fileKey = secret()

  /** `nowMs`: a clock that only goes forward. */
  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs
  }

  /** A token for one browser. */
  issue(): string {
    this.#forgetOld()
    const token = secret()
    this.#links.set(hashOf(token), this.#nowMs())
    dropFirst(this.#links, pageLimits.links)
    return token
  }

  /** The cookie for the browser that showed the token; undefined for one that was used, is too old, or never was. */
  redeem(token: string): string | undefined {
    this.#forgetOld()
    if (!this.#links.delete(hashOf(token))) return undefined
    const cookie = secret()
    this.#browsers.add(hashOf(cookie))
    dropFirst(this.#browsers, pageLimits.browsers)
    return cookie
  }

  /** Whether the cookie is of this client. */
  knows(cookie: string): boolean {
    const hash = hashOf(cookie)
    if (!this.#browsers.delete(hash)) return false
    this.#browsers.add(hash)
    return true
  }

  holdsKey(shown: string): boolean {
    return isSame(shown, this.key)
  }

  holdsFileKey(shown: string): boolean {
    return isSame(shown, this.fileKey)
  }

  #forgetOld(): void {
    const oldestMs = this.#nowMs() - pageLimits.linkLifetimeMs
    for (const [hash, madeMs] of this.#links) if (madeMs <= oldestMs) this.#links.delete(hash)
  }
}

function secret(): string {
  return randomBytes(32).toString('base64url')
}

/** Looked up by hash, the time of a comparison tells nothing of what is kept. */
function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('base64')
}

function isSame(shown: string, secret: string): boolean {
  const [one, other] = [Buffer.from(shown), Buffer.from(secret)]
  return one.length === other.length && timingSafeEqual(one, other)
}

function dropFirst(kept: Map<string, unknown> | Set<string>, max: number): void {
  const [first] = kept.keys()
  if (kept.size > max && first !== undefined) kept.delete(first)
}
