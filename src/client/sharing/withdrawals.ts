// Tells the trackers what this user has stopped sharing. A withdrawal is remembered, also over a restart, until a
// tracker has given a final answer.

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

  /** Forgets the share and tells the trackers. False when they could not be told yet; then it keeps trying. */
  async tell(file: Withdrawal): Promise<boolean> {
    const remembered = this.#store.rememberWithdrawal(file)
    // Asked in this turn, so that a later upload of the same name comes after it.
    const first = await this.#withdraw(file, false).catch((error: unknown) => {
      if (!(error instanceof Failure)) throw error
      return undefined
    })
    await remembered
    // Otherwise it is withdrawn, was never registered, or has been shared again.
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

  /** Repeats the withdrawal until a tracker gives a final answer. */
  keepTelling(file: Withdrawal): void {
    void this.#withdraw(file, true)
  }

  /** Resumes withdrawals that were unfinished when the program last ended. */
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
