// Asks for what happens to the accounts of newcomers, and reads what came of it. Has a connection of its own: a proof of
// a password takes two requests, between which nobody else may ask for one.

import { setTimeout } from 'node:timers/promises'
import type { Address } from '../../../src/common/addresses.ts'
import type { TrackerProtocol } from '../../../src/common/protocol/tracker-protocol.ts'
import { accept, type Answer } from '../../../src/common/refusal.ts'
import { makeNonce, proveLoginKey } from '../../../src/common/security/challenge.ts'
import { makeIdentity } from '../../../src/common/security/identity.ts'
import { ScramClient } from '../../../src/common/security/scram.ts'
import type { Result } from '../../../src/common/wire/methods.ts'
import { credentialsFor, keysOf, passwordNamed, passwords, salt, type Password } from './passwords.ts'
import { Speaker } from './speaker.ts'
import type { NewcomersWish, Step } from './story.ts'

/** Undefined without an answer. */
type Heard<T> = Answer<T> | undefined

/** What is known of a newcomer's password: `none` of an account that has another one than a campaign gives. */
export type FoundPassword = Password | 'none'

/** How often it is asked whether a session has ended: trackers that have lost what ended it say "later" for ever. */
const looksMax = 10
/** How long to wait when the host has failed too often. */
const blockedMs = 100

/** Of all newcomers, so that any clerk can show the key of a session. */
const identity = makeIdentity()
/** Nobody is there: nothing is served in a campaign. */
const port = 4000

export class Clerk {
  readonly #speaker: Speaker

  constructor(trackers: readonly Address[], tracker: number) {
    this.#speaker = new Speaker(trackers, tracker)
  }

  /**
   * Tries a step once, as the client program does: the first time by a user who is logged in, and from then on without a
   * login, which asks for the outcome of an earlier try before it proves a password that may no longer hold.
   */
  async try(step: Step, wish: NewcomersWish): Promise<Heard<object>> {
    const { id, tries, password = 'first' } = step
    const again = tries > 1
    if (wish.kind === 'register') {
      const credentials = await credentialsFor(passwordNamed(wish.credentials.storedKey))
      return this.#speaker.try('register', { id, again, user: wish.user, ...credentials })
    }
    const request = await this.#requestFor(id, again, wish)
    if (again) {
      const known = await request()
      if (known === undefined || known.ok || known.refusal.code !== 'invalid-request') return known
    } else {
      const login = await this.#logIn(wish.by, password)
      if (login?.ok !== true) return login
      step.session = login.value.session
    }
    const proof = await this.#prove(wish.by, password)
    const answer = proof?.ok === true ? await request(proof.value.clientFinal) : proof
    if (answer !== undefined && !again) await this.#speaker.try('logout', {})
    return answer
  }

  async #requestFor(
    id: string,
    again: boolean,
    wish: Exclude<NewcomersWish, { kind: 'register' }>,
  ): Promise<(clientFinal?: string) => Promise<Heard<object>>> {
    const params = { id, again, user: wish.by }
    if (wish.kind === 'delete_account')
      return (clientFinal) => this.#speaker.try('delete_account', { ...params, clientFinal })
    const credentials = await credentialsFor(passwordNamed(wish.credentials.storedKey))
    return (clientFinal) => this.#speaker.try('change_password', { ...params, ...credentials, clientFinal })
  }

  /** Undefined for a user that does not exist. `expected` is tried first, since trackers count wrong guesses. */
  async passwordOf(user: string, expected: Password | undefined): Promise<FoundPassword | undefined> {
    if (!(await this.#isRegistered(user))) return undefined
    const guesses = new Set([...(expected === undefined ? [] : [expected]), ...passwords])
    for (const guess of guesses) if (await this.#isRight(user, guess)) return guess
    return 'none'
  }

  /** The trackers make up another salt for a user that does not exist. */
  async #isRegistered(user: string): Promise<boolean> {
    const answer = await this.#speaker.ask('login_start', { clientFirst: `n,,n=${user},r=0123456789abcdef` })
    return answer.ok && answer.value.serverFirst.includes(`,s=${salt},`)
  }

  async #isRight(user: string, password: Password): Promise<boolean> {
    for (;;) {
      const login = await this.#logIn(user, password)
      if (login?.ok === true) {
        await this.#speaker.try('logout', {})
        // Else the tracker has only a half of this password.
        return login.value.isGenuine
      }
      if (login?.refusal.code === 'too-many-attempts') await setTimeout(blockedMs)
      else if (login !== undefined) return false
    }
  }

  /** Whether a session that a step began with is refused because of what came after it. */
  async hasEnded(user: string, session: string): Promise<boolean> {
    for (let look = 0; look < looksMax; look++) {
      const proof = await this.#proofOfKey(user)
      const answer = await this.#speaker.try('resume_login', { session, nonce: makeNonce(), proof, port })
      if (answer?.ok === true) await this.#speaker.try('logout', {})
      if (answer !== undefined) return !answer.ok && answer.refusal.code === 'login-ended'
    }
    return false
  }

  /** Goes to another tracker. */
  moveOn(): void {
    this.#speaker.moveOn()
  }

  close(): void {
    this.#speaker.close()
  }

  async #logIn(
    user: string,
    password: Password,
  ): Promise<Heard<Result<TrackerProtocol, 'login_finish'> & { isGenuine: boolean }>> {
    const proof = await this.#prove(user, password)
    if (proof?.ok !== true) return proof
    const { scram, clientFinal } = proof.value
    const params = { clientFinal, key: identity.publicKey, proof: await this.#proofOfKey(user), port }
    const answer = await this.#speaker.try('login_finish', params)
    if (answer?.ok !== true) return answer
    return accept({ ...answer.value, isGenuine: scram.isServerGenuine(answer.value.serverFinal) })
  }

  async #prove(
    user: string,
    password: Password,
  ): Promise<Heard<{ scram: ScramClient; clientFinal: string }>> {
    const scram = new ScramClient(user, makeNonce())
    const begun = await this.#speaker.try('login_start', { clientFirst: scram.clientFirst })
    if (begun?.ok !== true) return begun
    const clientFinal = await scram.clientFinal(begun.value.serverFirst, () => keysOf(password))
    return accept({ scram, clientFinal })
  }

  async #proofOfKey(user: string): Promise<string> {
    const { nonce, key } = await this.#speaker.greeting()
    return proveLoginKey(identity, { trackerNonce: nonce, trackerKey: key, user, binding: undefined })
  }
}
