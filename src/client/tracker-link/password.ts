// The password of one login, and the keys that are derived from it: once, because that is slow on purpose, and all
// trackers of a community have the same salt for a user.

import { Failure } from '../../common/failure.ts'
import type { ClientKeys } from '../../common/security/scram.ts'
import { verifierKeyOf } from '../../common/security/session.ts'
import type { KnownLogins, Stretching } from '../storage/known-logins.ts'
import type { SavedLogin } from '../storage/remembered-login.ts'
import type { EarlyKeys } from './early-keys.ts'

export interface PasswordOptions {
  readonly knownLogins: KnownLogins
  /** The fewest iterations that a tracker may ask for when a user is new here. */
  readonly iterations: number
  readonly community: () => string
  readonly earlyKeys: EarlyKeys
  /** That of this client. */
  readonly clientKey: string
  /** A newer session, for the next start of the program. */
  readonly onSession?: ((login: SavedLogin) => void) | undefined
}

export class Password {
  readonly user: string
  readonly #options: PasswordOptions
  /** Undefined where only a session is known. */
  #text: string | undefined
  #derived: ClientKeys | undefined
  #session: string | undefined
  #verifierKey: string | undefined

  constructor(user: string, text: string | undefined, options: PasswordOptions) {
    this.user = user
    this.#text = text
    this.#options = options
  }

  get community(): string {
    return this.#options.community()
  }

  /** The login of an earlier run, without its password. */
  static ofSession({ user, session, verifierKey }: SavedLogin, options: PasswordOptions): Password {
    const password = new Password(user, undefined, options)
    password.#session = session
    password.#verifierKey = verifierKey
    return password
  }

  /** Whether the password itself is known, and not only a session. */
  get hasPassword(): boolean {
    return this.#text !== undefined
  }

  /** How it is salted and stretched, as far as that is known. */
  get stretching(): Stretching | undefined {
    return this.#derived ?? this.#options.knownLogins.find(this.community, this.user)
  }

  /** The keys that were derived last. */
  get derived(): ClientKeys | undefined {
    return this.#derived
  }

  /** Rejects with a `protocol` failure when salt or iterations have changed, or are too few for a new user. */
  readonly keys = async (salt: string, iterations: number): Promise<ClientKeys> => {
    this.#checkKnown(salt, iterations)
    const text = this.#text
    if (text === undefined) throw new Failure('protocol', 'only a session is known, and no password')
    if (this.#derived?.salt === salt && this.#derived.iterations === iterations) return this.#derived
    const keys = await this.#options.earlyKeys.take(text, salt, iterations)
    // It may have been replaced meanwhile.
    if (text === this.#text) this.#derived = keys
    return keys
  }

  /** Of the last login, as long as it is good. */
  get session(): { text: string; verifierKey: string } | undefined {
    if (this.#session === undefined || this.#verifierKey === undefined) return undefined
    return { text: this.#session, verifierKey: this.#verifierKey }
  }

  /** To log in with at the next start of the program; undefined where no tracker gave a session. */
  get saved(): SavedLogin | undefined {
    const { user, community, session } = this
    if (session === undefined) return undefined
    return { user, community, session: session.text, verifierKey: session.verifierKey }
  }

  readonly onSession = (text: string | undefined): void => {
    this.#session = text
    if (this.#derived !== undefined)
      this.#verifierKey = verifierKeyOf(this.#derived.serverKey.toString('base64'), this.#options.clientKey)
    const { saved } = this
    if (saved !== undefined) this.#options.onSession?.(saved)
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
    const way = known === undefined ? 'a way that is too weak' : 'another way than before'
    const remedy = known === undefined ? '' : `; if you know why, move ${knownLogins.pathOf(community)} away`
    throw new Failure(
      'protocol',
      `the tracker may be an impostor: it asks for the password of ${this.user} in ${way}${remedy}`,
    )
  }
}
