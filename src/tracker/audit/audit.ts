// The audit: who changed what and when, and which logins were refused, as this tracker saw it. Each entry of the log
// gets its line once, whatever happens to the tracker: the position of the file's last line says where to go on. So a
// change that was made just before a kill, or by another tracker meanwhile, gets its line when the log is read again.

import { prepareAuditFile } from '../../common/audit-file/last-line.ts'
import { RotatingFile, type RotatingFileOptions } from '../../common/audit-file/rotating-file.ts'
import type { AppliedEntry } from '../sequencer.ts'
import { auditLoginsPerSecond } from '../limits.ts'
import { lineOfEntry, positionIn, textOf, timeOf, type AuditLine } from './audit-lines.ts'

export interface AuditOptions extends Pick<
  RotatingFileOptions,
  'path' | 'onTrouble' | 'fileBytesMax' | 'bytesWaitingMax' | 'retryMs' | 'write'
> {
  /** Milliseconds since 1970. */
  readonly nowMs: () => number
  readonly loginsEveryMs?: number
}

/** How the file is recognised. */
const lines = { read: positionIn, begins: '{"position":', of: 'a tracker' }

export class Audit {
  readonly #file: RotatingFile
  readonly #nowMs: () => number
  readonly #loginsEveryMs: number
  /** Of the last entry that has a line, or needs none; undefined until a new audit has begun. */
  #position: number | undefined
  /** Refused logins of the present second. */
  #logins = 0
  #second: NodeJS.Timeout | undefined

  private constructor(
    { nowMs, loginsEveryMs = 1000, ...options }: AuditOptions,
    position: number | undefined,
  ) {
    this.#nowMs = nowMs
    this.#loginsEveryMs = loginsEveryMs
    this.#position = position
    const lineOfDropped = (lines: number): string => textOf(this.#note('lines_dropped', { lines }))
    this.#file = new RotatingFile({ ...options, lineOfDropped })
  }

  /** Rejects with a `start` failure for a file that cannot be written. */
  static async open(options: AuditOptions): Promise<Audit> {
    return new Audit(options, await prepareAuditFile(options.path, lines))
  }

  /** The log was read up to this position. A new audit begins here: it does not repeat what was long before. */
  begin(position: number): void {
    const before = this.#position ?? position
    // Without a data folder each start begins a log, and a person may have named another one.
    if (position < before) {
      this.#position = position
      this.#add(this.#note('log_begins_anew', { before }))
    }
    this.#seeUpTo(position)
    this.#position = position
    this.#file.begin()
  }

  onApplied(entry: AppliedEntry): void {
    if (this.#position === undefined || entry.position <= this.#position) return
    this.#seeUpTo(entry.position - 1)
    this.#add(lineOfEntry(entry))
    this.#position = entry.position
  }

  /** `user` is undefined for a name that does not exist: it may be a password. */
  onLoginRefused(from: string, user: string | undefined, why: string): void {
    this.#second ??= setTimeout(() => this.#endSecond(), this.#loginsEveryMs).unref()
    if (++this.#logins > auditLoginsPerSecond) return
    const { position, time } = this.#note('')
    this.#add({ position, time, who: user, from, what: 'login', outcome: why })
  }

  async close(): Promise<void> {
    this.#endSecond()
    await this.#file.close()
  }

  /** Changes that came within a snapshot: what they were, nobody can say any more. */
  #seeUpTo(position: number): void {
    const changes = position - (this.#position ?? position)
    if (changes <= 0) return
    this.#position = position
    this.#add(this.#note('changes_unseen', { changes }))
  }

  #endSecond(): void {
    clearTimeout(this.#second)
    this.#second = undefined
    const logins = this.#logins - auditLoginsPerSecond
    this.#logins = 0
    if (logins > 0) this.#add(this.#note('logins_refused', { logins }))
  }

  #note(what: string, numbers: Record<string, number> = {}): AuditLine {
    return { position: this.#position ?? 0, time: timeOf(this.#nowMs()), what, ...numbers }
  }

  #add(line: AuditLine): void {
    this.#file.add(textOf(line))
  }
}
