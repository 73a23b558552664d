// Where clients reach this tracker, which may listen on all addresses of its machine, and behind a router.

import { isWildcard, type Address } from '../../common/addresses.ts'
import { Failure } from '../../common/failure.ts'
import { isLoopback, isPrivate } from '../../common/networks.ts'
import type { Place } from '../../common/protocol/tracker-fields.ts'
import { resolveAddress } from '../../common/resolve-address.ts'
import type { Login } from '../presence/login.ts'

/** How often a name is looked up: its address may change. */
const lookUpEveryMs = 10 * 60_000

export interface OwnPlaceParts {
  /** As the operator or the list names it; port 0 stands for `port`. Undefined where nobody says. */
  readonly named: Address | undefined
  /** That this tracker listens on. */
  readonly port: () => number
  /** Called when nobody has that name. */
  readonly onTrouble: (sentence: string) => void
}

export class OwnPlace {
  readonly #parts: OwnPlaceParts
  #host: string | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(parts: OwnPlaceParts) {
    this.#parts = parts
  }

  /** Looks its name up, now and then. */
  start(): void {
    this.#timer = setInterval(() => void this.#lookUp(), lookUpEveryMs)
    this.#timer.unref()
    void this.#lookUp()
  }

  close(): void {
    clearInterval(this.#timer)
  }

  /**
   * Where this client comes to this tracker: the address to which it came, unless that is one of a network of the
   * tracker's own behind a router. Undefined when nobody has said where the router is.
   */
  placeFor({ inside, outside }: Pick<Login, 'inside' | 'outside'>): Place | undefined {
    const { named, port } = this.#parts
    const isBehindRouter = isPrivate(inside) && !isPrivate(outside.host)
    if (inside !== '' && !isBehindRouter) return { host: inside, port: port() }
    if (named === undefined || this.#host === undefined) return undefined
    return { host: this.#host, port: named.port === 0 ? port() : named.port }
  }

  async #lookUp(): Promise<void> {
    const { named, onTrouble } = this.#parts
    if (named === undefined) return
    try {
      const { host } = await resolveAddress(named)
      // Neither is an address to others: the list may say where to listen.
      this.#host = isWildcard(host) || isPrivate(host) || isLoopback(host) ? undefined : host
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      onTrouble(error.message)
    }
  }
}
