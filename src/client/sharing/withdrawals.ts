// Makes the trackers know what this user has stopped sharing. A withdrawal is remembered until one of them has
// answered it for good, also over a restart.

import { Failure } from '../../common/failure.ts'
import { accept, refuse, type Answer } from '../../common/refusal.ts'
import type { UserStore, Withdrawal } from '../storage/user-store.ts'
import type { TrackerLink } from '../tracker-link/tracker-link.ts'
import { isPassing, type Registrar } from './registrar.ts'

export class Withdrawals {
  readonly #link: TrackerLink
  readonly #store: UserStore
  readonly #registrar: Registrar

  constructor(link: TrackerLink, store: UserStore, registrar: Registrar) {
    this.#link = link
    this.#store = store
    this.#registrar = registrar
  }

  /** Forgets the share and tells the trackers. Whether they know it; else they are told as soon as they can be. */
  async tell(file: Withdrawal): Promise<boolean> {
    const remembered = this.#store.rememberWithdrawal(file)
    // Asked in this turn: whoever shares the file again in the next one is asked for after this.
    const first = await this.#withdraw(file, false).catch((error: unknown) => {
      if (!(error instanceof Failure)) throw error
      return undefined
    })
    await remembered
    // Otherwise it is withdrawn, was not shared there at all, or is shared again meanwhile.
    const isOpen = first === undefined || (!first.ok && isPassing(first.refusal.code))
    if (isOpen && this.#store.isWithdrawn(file) && !this.#registrar.isWished(file)) this.keepTelling(file)
    return !isOpen
  }

  /** Withdraws what another machine of this user shares. Rejects with a failure when no tracker can be reached. */
  async tellOfOther(file: Withdrawal): Promise<Answer<{ isTold: boolean }>> {
    const withdrawn = await this.#withdraw(file, false)
    if (withdrawn.ok) return accept({ isTold: true })
    const { code } = withdrawn.refusal
    return code === 'not-shared' || code === 'no-such-file'
      ? refuse('not-shared', `you do not share ${file.name} in ${file.group}`)
      : withdrawn
  }

  /** Tells the trackers until one has answered for good. */
  keepTelling(file: Withdrawal): void {
    void this.#withdraw(file, true)
  }

  /** Tells what was remembered when the program last ended. */
  resume(): void {
    for (const file of this.#store.withdrawals()) this.keepTelling(file)
  }

  async #withdraw({ group, name }: Withdrawal, isLasting: boolean): Promise<Answer<void>> {
    const ask = (): Promise<Answer<void>> => this.#link.change('unshare_file', { group, name })
    const withdrawn = await this.#registrar.withdraw({ group, name }, ask, isLasting)
    const isOver =
      withdrawn.ok || (withdrawn.refusal.code !== 'cancelled' && !isPassing(withdrawn.refusal.code))
    if (isOver) await this.#store.forgetWithdrawal({ group, name })
    return withdrawn
  }
}
