// Logs failed logins, and keeps a flood of them from flooding the log.

import type { Logger } from 'pino'

/** At most one line in this time; it says how many there were. */
const lineEveryMs = 1000

export class FailedLogins {
  readonly #log: Logger
  readonly #nowMs: () => number
  #lastLineMs = -Infinity
  /** Since the last line. */
  #unsaid = 0

  constructor(log: Logger, nowMs: () => number) {
    this.#log = log
    this.#nowMs = nowMs
  }

  /** `user` is undefined for a name that nobody has: it may be a password typed in the wrong place. */
  onFailed(host: string, user: string | undefined): void {
    this.#unsaid++
    const nowMs = this.#nowMs()
    if (nowMs - this.#lastLineMs < lineEveryMs) return
    this.#lastLineMs = nowMs
    this.#log.info({ host, user, failures: this.#unsaid }, 'login failed')
    this.#unsaid = 0
  }
}
