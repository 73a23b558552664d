// Remembers how repeated commands were answered here without the log, so that another copy has no other outcome: an
// earlier try may still wait in a connection that its client has given up.

import type { UserCommand } from '../state/commands.ts'
import type { Outcome } from '../state/outcomes.ts'
import { remember, remembered } from '../state/remembered.ts'

/** One answer is a number, and each account has as many as the state remembers: 1 KiB. */
const accountsMax = 1000

export class AnsweredHere {
  /** By user name; those that were answered last at the end. */
  readonly #accounts = new Map<string, { remembered: readonly number[] }>()

  outcomeOf(command: UserCommand): Outcome | undefined {
    const account = 'by' in command ? this.#accounts.get(command.by) : undefined
    return account === undefined ? undefined : remembered(account, command.id)
  }

  onAnswered(command: UserCommand, outcome: Outcome): void {
    // A name that is taken stays so, a code that is wrong too, and strangers should push nothing out.
    if (!('by' in command)) return
    const { by, id } = command
    const account = this.#accounts.get(by) ?? { remembered: [] }
    this.#accounts.delete(by)
    this.#accounts.set(by, account)
    remember(account, id, outcome, 0)
    const [oldest = ''] = this.#accounts.keys()
    if (this.#accounts.size > accountsMax) this.#accounts.delete(oldest)
  }
}
