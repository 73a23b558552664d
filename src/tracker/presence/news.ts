// Queues what one login has yet to be told, and sends it as fast as the login reads. Keeps only the latest notice of
// each matter, so the queue of a slow reader is bounded by the number of matters, not by how often they change.

import { Failure } from '../../common/failure.ts'
import type { TrackerProtocol } from '../../common/protocol/tracker-protocol.ts'
import { encodeLine } from '../../common/wire/frames.ts'
import { notificationMessage } from '../../common/wire/messages.ts'
import type { Told, ToldParams } from '../../common/wire/methods.ts'
import { noticesWaitingMax } from '../limits.ts'

/** Where lines go, and whether they are read. */
export interface Outlet {
  sendLine(line: string): void
  /** The reader is behind: nothing more is sent until `whenDrained`. */
  readonly isBehind: boolean
  /** Resolves when the reader has caught up or is gone. */
  whenDrained(): Promise<void>
  close(reason: Failure): void
}

/** A notification, encoded once for all who are told. */
export interface Notice {
  /** A later notice of the same matter replaces one that was not sent yet. */
  readonly matter: string
  readonly line: string
}

/** Something that is put into words only when it is sent, so that its latest state is told. */
export interface Subject {
  /** The line; undefined when there is nothing to say. */
  take(): string | undefined
}

export function noticeOf<M extends Told<TrackerProtocol, 'toCaller'>>(
  method: M,
  about: string,
  params: ToldParams<TrackerProtocol, 'toCaller', M>,
): Notice {
  return { matter: `${method} ${about}`, line: encodeLine(notificationMessage(method, params)) }
}

export class News {
  readonly #outlet: Outlet
  readonly #notices = new Map<string, string>()
  readonly #subjects = new Set<Subject>()
  #isWaiting = false
  #hasEnded = false

  constructor(outlet: Outlet) {
    this.#outlet = outlet
  }

  tell({ matter, line }: Notice): void {
    // Moved to the end, so that notices keep the order of events.
    this.#notices.delete(matter)
    this.#notices.set(matter, line)
    this.#say()
    // It asks anew for what it has to do with when it is back.
    if (this.#notices.size > noticesWaitingMax)
      this.#outlet.close(new Failure('connection-lost', 'too much waits to be read'))
  }

  /** The subject has changed since it was last told. */
  add(subject: Subject): void {
    this.#subjects.add(subject)
    this.#say()
  }

  /** The login has ended: drops what was not sent, so that the next user of the connection does not get it. */
  end(): void {
    this.#hasEnded = true
    this.#notices.clear()
    this.#subjects.clear()
  }

  /** Forgets a subject of which nothing more is to be told. */
  drop(subject: Subject): void {
    this.#subjects.delete(subject)
  }

  #say(): void {
    if (this.#isWaiting || this.#hasEnded) return
    for (const [matter, line] of this.#notices) {
      if (this.#outlet.isBehind) return this.#wait()
      this.#notices.delete(matter)
      this.#outlet.sendLine(line)
    }
    for (const subject of this.#subjects) {
      if (this.#outlet.isBehind) return this.#wait()
      this.#subjects.delete(subject)
      const line = subject.take()
      if (line !== undefined) this.#outlet.sendLine(line)
    }
  }

  #wait(): void {
    this.#isWaiting = true
    void this.#outlet.whenDrained().then(() => {
      this.#isWaiting = false
      this.#say()
    })
  }
}
