// Carries out what an operator decides for the whole community: through the log, so that all trackers agree.

import { hashOfCode, makeCode } from './admission/codes.ts'
import type { Sequencer } from './sequencer.ts'
import { wordsOf } from './requests/sentences.ts'
import type { Command } from './state/commands.ts'
import { isRegistrationMode, type RegistrationMode } from './state/registration-modes.ts'
import { isQuotaName, quotaMax, quotaNames, quotaTable } from './state/quotas.ts'

/** Trackers of version 0.1 would end at such an entry of the log. */
const notYet = 'error: update every tracker of the community first; trackers lists them'

export class Operator {
  readonly #sequencer: Sequencer

  constructor(sequencer: Sequencer) {
    this.#sequencer = sequencer
  }

  /** A line for each quota, or for the one that is named. */
  quotas(name?: string): string[] {
    if (name !== undefined && !isQuotaName(name))
      return [`error: there is no quota "${name}"; quota lists them`]
    const { quotas } = this.#sequencer.state
    const names = name === undefined ? quotaNames : quotaNames.filter((each) => each === name)
    return names.map((each) => `${each} ${quotas[each]}: ${quotaTable[each].meaning}`)
  }

  /** "done", or why not. */
  async setQuota(name: string, text: string): Promise<string> {
    const value = Number(text)
    if (!isQuotaName(name)) return `error: there is no quota "${name}"; quota lists them`
    if (!/^\d{1,10}$/.test(text) || value > quotaMax)
      return `error: "${text}" is not a number up to ${quotaMax.toLocaleString('en')}`
    if (this.#sequencer.state.level < 2) return notYet
    return this.#submit({ kind: 'set_quota', quota: name, value })
  }

  /** A line for each tracker whose tickets are valid here. */
  trackers(): string[] {
    return Array.from(this.#sequencer.state.trackers, ([key, { number, level }]) => {
      const which = number === undefined ? 'of version 0.1' : `number ${number}`
      return `${key}: ${which}, can follow level ${level}`
    })
  }

  /** Revokes a tracker, by number or key: its tickets become invalid, and nobody waits for it. "done", or why not. */
  async revoke(tracker: string): Promise<string> {
    const keys = Array.from(this.#sequencer.state.trackers)
      .filter(([key, { number }]) => key === tracker || String(number) === tracker)
      .map(([key]) => key)
    const [key] = keys
    if (key === undefined) return `error: there is no tracker "${tracker}"; trackers lists them`
    if (keys.length > 1) return `error: ${keys.length} trackers have number ${tracker}; name one by its key`
    return this.#submit({ kind: 'revoke_tracker', key })
  }

  /** A line with a code with which the user's client sets a new password, or why there is none. */
  async resetPassword(user: string): Promise<string> {
    const account = this.#accountOf(user)
    if (typeof account === 'string') return account
    const code = makeCode()
    const answer = await this.#submit({ kind: 'issue_reset', user, account, codeHash: hashOfCode(code) })
    if (answer !== 'done') return answer
    return `give this to ${user}; it works at a client, once, within a day: reset_password ${user} ${code}`
  }

  /** Ends an account, as if its user had deleted it. "done", or why not. */
  async removeUser(user: string): Promise<string> {
    const account = this.#accountOf(user)
    return typeof account === 'string' ? account : this.#submit({ kind: 'remove_user', user, account })
  }

  /** A line with a code with which somebody registers, or why there is none. */
  async invite(): Promise<string> {
    if (this.#sequencer.state.level < 2) return notYet
    const code = makeCode()
    const answer = await this.#submit({ kind: 'add_invite', codeHash: hashOfCode(code) })
    if (answer !== 'done') return answer
    return `give this to one new user; it works at a client, once, within a week: create_user <user> --invite ${code}`
  }

  /** Who may register. */
  get registration(): RegistrationMode {
    return this.#sequencer.state.registration.mode
  }

  /** At all trackers, from now on. "done", or why not. */
  async setRegistration(mode: string): Promise<string> {
    if (!isRegistrationMode(mode))
      return 'error: type registration open, registration invited or registration closed'
    if (this.#sequencer.state.level < 2) return notYet
    return this.#submit({ kind: 'set_registration', mode })
  }

  /** Its number, or why not. */
  #accountOf(user: string): number | string {
    void this.#sequencer.sync()
    const { level, accounts } = this.#sequencer.state
    if (level < 2) return notYet
    return accounts.get(user)?.id ?? `error: there is no user ${user}`
  }

  async #submit(command: Command): Promise<string> {
    const outcome = await this.#sequencer.submit(command)
    return outcome.ok ? 'done' : `error: ${wordsOf(outcome)[1]}`
  }
}
