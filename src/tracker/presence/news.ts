// What one login has yet to be told, at the pace at which it reads. Of each matter only the last word is kept, so
// what waits for a slow reader is bounded by what it has to do with, and not by how often that changes.

import type { TrackerProtocol } from '../../common/protocol/tracker-protocol.ts'
import { encodeLine } from '../../common/wire/frames.ts'
import { notificationMessage } from '../../common/wire/messages.ts'
import type { Told, ToldParams } from '../../common/wire/methods.ts'

/** Where lines go, and whether they are read. */
export interface Outlet {
  sendLine(line: string): void
  /** What was sent is not read: nothing more is said until `whenDrained`. */
  readonly isBehind: boolean
  /** Resolves when it has been read, or nobody is there any more. */
  whenDrained(): Promise<void>
}

/** A notification that may be told to many: encoded once. */
export interface Notice {
  /** Names the matter: a later notice of the same takes the place of one that was not told yet. */
  readonly matter: string
  readonly line: string
}

/** Something of which is said what is so when it is said. */
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
    // At the end: what it is about happened after what is told before.
    this.#notices.delete(matter)
    this.#notices.set(matter, line)
    this.#say()
  }

  /** This is not as it was told. */
  add(subject: Subject): void {
    this.#subjects.add(subject)
    this.#say()
  }

  /** Whoever this is for has logged out: what was not said never is, to whoever comes on that connection. */
  end(): void {
    this.#hasEnded = true
    this.#notices.clear()
    this.#subjects.clear()
  }

  /** Nothing is to be said of this any more. */
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
