// What is asked about accounts: a new one, another password, an end. Each is done once, however often it is tried; a
// try after the first asks for the outcome before it proves a password that may no longer hold.

import { randomBytes } from 'node:crypto'
import type { TrackerProtocol } from '../../common/protocol/tracker-protocol.ts'
import { accept, refuse, type Answer } from '../../common/refusal.ts'
import { credentialsOf, deriveKeys } from '../../common/security/scram.ts'
import type { Params, Result } from '../../common/wire/methods.ts'
import type { KnownLogins } from '../storage/known-logins.ts'
import type { Attempt } from './failover.ts'
import type { Password } from './password.ts'
import { newCommandId, triesOf } from './repeats.ts'

export interface AccountRequestsOptions {
  readonly knownLogins: KnownLogins
  /** Iterations for new passwords. */
  readonly iterations: number
  /** `community`: that of the login by default. */
  readonly passwordOf: (user: string, password: string, community?: () => string) => Password
  /** Who is logged in. */
  readonly loggedIn: () => Password | undefined
  /** Tries one tracker after the other, logged in or not. */
  readonly withConnection: <T>(attempt: Attempt<T>) => Promise<Answer<T>>
  /** Runs a change after which logins need another password, or none. */
  readonly changing: <T>(change: () => Promise<T>) => Promise<T>
}

export class AccountRequests {
  readonly #options: AccountRequestsOptions

  constructor(options: AccountRequestsOptions) {
    this.#options = options
  }

  /** `invite`: a code, where new users need one. */
  async register(user: string, password: string, invite?: string): Promise<Answer<void>> {
    const { iterations, knownLogins, withConnection } = this.#options
    const keys = await deriveKeys(password, randomBytes(16).toString('base64'), iterations)
    const tries = triesOf({ user, ...credentialsOf(keys), invite, id: newCommandId() })
    let community: string | undefined
    const answer = await withConnection((connection, timeoutMs) => {
      community = connection.greeting?.cluster
      return connection.request('register', tries(), timeoutMs)
    })
    if (!answer.ok) return answer
    if (community !== undefined) await knownLogins.remember(community, user, keys)
    return accept(undefined)
  }

  /** With a code from whoever runs the trackers. All clients of the user are logged out. */
  async resetPassword(user: string, code: string, text: string): Promise<Answer<void>> {
    const { passwordOf, withConnection, knownLogins } = this.#options
    let community = ''
    const password = passwordOf(user, text, () => community)
    const tries = triesOf({ user, code, id: newCommandId() })
    const answer = await withConnection(async (connection, timeoutMs) => {
      community = connection.greeting?.cluster ?? ''
      // Tells salt and iterations, which stay the same: see `changePassword`.
      const begun = await connection.provePassword(password, timeoutMs)
      if (!begun.ok) return begun
      const keys = password.derived
      if (keys === undefined) throw new Error('a proof needs keys')
      return connection.request('reset_password', { ...tries(), ...credentialsOf(keys) }, timeoutMs)
    })
    if (!answer.ok) return answer
    if (password.derived !== undefined) await knownLogins.remember(community, user, password.derived)
    return accept(undefined)
  }

  /** Of the user who is logged in. The other clients of the user are logged out. */
  async changePassword(old: string, text: string): Promise<Answer<void>> {
    const { loggedIn, passwordOf } = this.#options
    const current = loggedIn()
    if (current?.stretching === undefined) return refuse('login-first', 'log in first')
    const { user } = current
    // The same salt: the user's other machines would take another one for that of an impostor.
    const { salt, iterations } = current.stretching
    const keys = await deriveKeys(text, salt, iterations)
    const params = { user, ...credentialsOf(keys), id: newCommandId() }
    const answer = await this.#change('change_password', params, passwordOf(user, old))
    if (!answer.ok) return answer
    current.replace(text, keys)
    current.onSession(answer.value.session)
    return accept(undefined)
  }

  /** Of the user who is logged in. */
  async deleteAccount(password: string): Promise<Answer<void>> {
    const { loggedIn, passwordOf } = this.#options
    const user = loggedIn()?.user
    if (user === undefined) return refuse('login-first', 'log in first')
    const asked = passwordOf(user, password)
    const answer = await this.#change('delete_account', { user, id: newCommandId() }, asked)
    if (!answer.ok) return answer
    await this.#options.knownLogins.forget(asked.community, user)
    return accept(undefined)
  }

  /** `password`: as it was typed now, which may be wrong. */
  async #change<M extends 'change_password' | 'delete_account'>(
    method: M,
    params: Params<TrackerProtocol, M>,
    password: Password,
  ): Promise<Answer<Result<TrackerProtocol, M>>> {
    let isRepeated = false
    const attempt: Attempt<Result<TrackerProtocol, M>> = async (connection, timeoutMs) => {
      const again = isRepeated
      isRepeated = true
      if (again) {
        const known = await connection.request(method, { ...params, again }, timeoutMs)
        if (known.ok || known.refusal.code !== 'invalid-request') return known
      }
      const proof = await connection.provePassword(password, timeoutMs)
      if (!proof.ok) return proof
      return connection.request(method, { ...params, again, clientFinal: proof.value }, timeoutMs)
    }
    return this.#options.changing(() => this.#options.withConnection(attempt))
  }
}
