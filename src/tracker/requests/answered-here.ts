// Remembers how repeated commands were answered here without the log, so that another copy has no other outcome: an
// earlier try may still wait in a connection that its client has given up.

import type { Change, Register } from '../state/commands.ts'
import type { Outcome } from '../state/outcomes.ts'
import { remember, remembered } from '../state/remembered.ts'

/** One answer is a number, and each account has as many as the state remembers: 1 KiB. */
const accountsMax = 1000

export class AnsweredHere {
  /** By user name; those that were answered last at the end. */
  readonly #accounts = new Map<string, { remembered: readonly number[] }>()

  outcomeOf(command: Change | Register): Outcome | undefined {
    const account = 'by' in command ? this.#accounts.get(command.by) : undefined
    return account === undefined ? undefined : remembered(account, command.id)
  }

  onAnswered(command: Change | Register, outcome: Outcome): void {
    // A name that is taken stays so, and strangers should push nothing out.
    if (command.kind === 'register') return
    const { by, id } = command
    const account = this.#accounts.get(by) ?? { remembered: [] }
    this.#accounts.delete(by)
    this.#accounts.set(by, account)
    remember(account, id, outcome, 0)
    const [oldest = ''] = this.#accounts.keys()
    if (this.#accounts.size > accountsMax) this.#accounts.delete(oldest)
  }
}
