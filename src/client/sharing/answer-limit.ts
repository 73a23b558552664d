// Bounds the bytes that one user gets in answers other than pieces and manifests. These bypass the upload limit, and
// some are many times as long as their requests: a user who asked without end would fill the uplink that serves the
// others.

import type { Turn, Turns } from '../../common/wire/turns.ts'
import { answerBytesAtOnce, answerBytesPerSecond } from './limits.ts'

/** Bytes of the shortest answer. */
const leastBytes = 120
/** Accounts remembered; beyond this, those without debt are forgotten. */
const rememberedMax = 1024

interface Account {
  /** Bytes that may still be answered; negative for a debt, which time pays off. */
  bytes: number
  atMs: number
}

/** Delays the turns of owners in debt. */
export class AnswerLimit implements Turns {
  readonly #turns: Turns
  /** By owner; one without an account has its full allowance. */
  readonly #accounts = new Map<string, Account>()

  constructor(turns: Turns) {
    this.#turns = turns
  }

  ask(turn: Turn): void {
    const account = this.#look(turn.owner, performance.now())
    if (account === undefined || account.bytes >= 0) {
      this.#turns.ask(turn)
      return
    }
    const waitMs = Math.ceil((-account.bytes / answerBytesPerSecond) * 1000)
    setTimeout(() => {
      if (!turn.isGone()) this.ask(turn)
    }, waitMs).unref()
  }

  onChanged(owner: string): void {
    this.#turns.onChanged(owner)
  }

  charge(owner: string, microseconds: number): void {
    this.#turns.charge(owner, microseconds)
  }

  /** Charges an answer to its owner: `bytes`, on top of the shortest line. */
  onAnswered(owner: string, bytes = 0): void {
    const nowMs = performance.now()
    const account = this.#look(owner, nowMs) ?? { bytes: answerBytesAtOnce, atMs: nowMs }
    account.bytes -= leastBytes + bytes
    this.#accounts.set(owner, account)
    if (this.#accounts.size > rememberedMax) this.#forget(nowMs)
  }

  /** Forgets owners without debt: some owners are addresses, of which there are any number. */
  #forget(nowMs: number): void {
    for (const owner of [...this.#accounts.keys()])
      if ((this.#look(owner, nowMs)?.bytes ?? 0) >= 0) this.#accounts.delete(owner)
  }

  #look(owner: string, nowMs: number): Account | undefined {
    const account = this.#accounts.get(owner)
    if (account === undefined) return undefined
    account.bytes += ((nowMs - account.atMs) / 1000) * answerBytesPerSecond
    account.atMs = nowMs
    if (account.bytes < answerBytesAtOnce) return account
    this.#accounts.delete(owner)
    return undefined
  }
}
