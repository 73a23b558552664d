// Bounds what is answered to one user beside pieces. Such answers do not wait for the upload limit, and some are many
// times as long as what asks for them: whoever asks without end would fill the line that the others are served over.

import type { Turn, Turns } from '../../common/wire/turns.ts'
import { answerBytesAtOnce, answerBytesPerSecond } from './limits.ts'

/** What the shortest answer takes. */
const leastBytes = 120
/** Owners that are remembered, beside those who are in debt. */
const rememberedMax = 1024

interface Account {
  /** Bytes that may be answered; negative for bytes that are being paid for. */
  bytes: number
  atMs: number
}

/** Turns that come only when what was answered to their owner is paid for. */
export class AnswerLimit implements Turns {
  readonly #turns: Turns
  /** By owner; without one that may be answered as much as anybody. */
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

  /** The owner is answered so many bytes, or a line without much in it. */
  onAnswered(owner: string, bytes = 0): void {
    const nowMs = performance.now()
    const account = this.#look(owner, nowMs) ?? { bytes: answerBytesAtOnce, atMs: nowMs }
    account.bytes -= leastBytes + bytes
    this.#accounts.set(owner, account)
    if (this.#accounts.size > rememberedMax) this.#forget(nowMs)
  }

  /** Those who are not in debt: of addresses there are any number. */
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
