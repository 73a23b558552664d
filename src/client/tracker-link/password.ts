// The password of one login, and the keys that are derived from it: once, because that is slow on purpose, and all
// trackers of a community have the same salt for a user.

import { Failure } from '../../common/failure.ts'
import type { ClientKeys } from '../../common/security/scram.ts'
import type { KnownLogins } from '../storage/known-logins.ts'
import type { EarlyKeys } from './early-keys.ts'

export interface PasswordOptions {
  readonly knownLogins: KnownLogins
  /** The fewest iterations that a tracker may ask for when a user is new here. */
  readonly iterations: number
  readonly community: () => string
  readonly earlyKeys: EarlyKeys
}

export class Password {
  readonly user: string
  readonly #options: PasswordOptions
  #text: string
  #derived: ClientKeys | undefined
  #session: string | undefined

  constructor(user: string, text: string, options: PasswordOptions) {
    this.user = user
    this.#text = text
    this.#options = options
  }

  get community(): string {
    return this.#options.community()
  }

  /** The keys that were derived last. */
  get derived(): ClientKeys | undefined {
    return this.#derived
  }

  /** Rejects with a `protocol` failure when salt or iterations have changed, or are too few for a new user. */
  readonly keys = async (salt: string, iterations: number): Promise<ClientKeys> => {
    this.#checkKnown(salt, iterations)
    const text = this.#text
    if (this.#derived?.salt === salt && this.#derived.iterations === iterations) return this.#derived
    const keys = await this.#options.earlyKeys.take(text, salt, iterations)
    // It may have been replaced meanwhile.
    if (text === this.#text) this.#derived = keys
    return keys
  }

  /** Of the last login, as long as it is good. */
  get session(): { text: string; serverKey: string } | undefined {
    if (this.#session === undefined || this.#derived === undefined) return undefined
    return { text: this.#session, serverKey: this.#derived.serverKey.toString('base64') }
  }

  readonly onSession = (text: string | undefined): void => {
    this.#session = text
  }

  /** From now on it is this one, with these keys. */
  replace(text: string, keys: ClientKeys): void {
    this.#text = text
    this.#derived = keys
    this.#session = undefined
  }

  #checkKnown(salt: string, iterations: number): void {
    const { knownLogins, iterations: enough } = this.#options
    const { community } = this
    const known = knownLogins.find(community, this.user)
    if (known === undefined && iterations >= enough) return
    if (known?.salt === salt && known.iterations === iterations) return
    const way = known === undefined ? 'a weaker way than any client registers' : 'another way than before'
    const remedy = known === undefined ? '' : `; if you know why, move ${knownLogins.pathOf(community)} away`
    throw new Failure(
      'protocol',
      `the tracker asks for the password of ${this.user} in ${way}, as an impostor would${remedy}`,
    )
  }
}
