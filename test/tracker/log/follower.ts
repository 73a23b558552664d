// A follower for tests: remembers what the log delivered.

import type { Failure } from '../../../src/common/failure.ts'
import type { LogFollower, LogSnapshot } from '../../../src/tracker/log/command-log.ts'

export class Follower implements LogFollower {
  /** As `position text`, a snapshot as `position [text]`. */
  readonly delivered: string[] = []
  lost: Failure | undefined

  onSnapshot(snapshot: LogSnapshot): void {
    const content =
      'text' in snapshot ? snapshot.text : [...snapshot.sections].map((pair) => pair.join('=')).join(' ')
    this.delivered.push(`${snapshot.position} [${content}]`)
  }

  onEntry(position: number, text: string): void {
    this.delivered.push(`${position} ${text}`)
  }

  onLost(failure: Failure): void {
    this.lost = failure
  }
}
