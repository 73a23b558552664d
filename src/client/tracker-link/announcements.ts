// What this client serves, as all trackers are to know it: said when it changes, said again to each tracker
// that comes back, and again to one that would not have it yet.

import { Failure } from '../../common/failure.ts'
import { announceBatchFiles } from '../../common/limits.ts'
import { isNarrowName, wideNames } from '../../common/names.ts'
import type { FileVersion } from '../../common/protocol/fields.ts'
import { keyOf } from '../file-key.ts'
import type { TrackerConnection } from './tracker-connection.ts'

type Announcement = FileVersion & { readonly complete: boolean }

/**
 * A tracker that is behind the others does not know a file that was shared a moment ago, and refuses it:
 * then it is said again after these times. One that is really gone is retracted when the trackers say so.
 */
const sayAgainAfterMs = [250, 1000, 4000, 15_000] as const

export class Announcements {
  readonly #all = new Map<string, Announcement>()

  put(file: FileVersion, complete: boolean): Announcement {
    const announcement = { group: file.group, name: file.name, fileId: file.fileId, complete }
    this.#all.set(keyOf(file), announcement)
    return announcement
  }

  /** False when it was not announced. */
  drop(file: FileVersion): boolean {
    return this.#all.delete(keyOf(file))
  }

  clear(): void {
    this.#all.clear()
  }

  sendAll(connection: TrackerConnection): Promise<void> {
    return this.send(connection, [...this.#all.values()])
  }

  /** Says these to a tracker that is logged in to. Never rejects: a connection that breaks is told all anew. */
  async send(
    connection: TrackerConnection,
    announcements: readonly Announcement[],
    timeoutMs?: number,
    triesBefore = 0,
  ): Promise<void> {
    // An older tracker would refuse a whole batch for one name that it does not take.
    const takesAll = connection.greeting?.capabilities.includes(wideNames) === true
    const taken = takesAll ? announcements : announcements.filter(({ name }) => isNarrowName(name))
    for (let at = 0; at < taken.length; at += announceBatchFiles) {
      if (connection.loggedInAs === undefined) return
      const files = taken.slice(at, at + announceBatchFiles)
      try {
        const answer = await connection.request('announce', { files }, timeoutMs)
        if (!answer.ok) continue
        const refused = new Set(answer.value.refused.map(keyOf))
        if (refused.size > 0)
          this.#sayAgain(
            connection,
            files.filter((file) => refused.has(keyOf(file))),
            triesBefore,
          )
      } catch (error) {
        if (!(error instanceof Failure)) throw error
      }
    }
  }

  #sayAgain(connection: TrackerConnection, refused: readonly Announcement[], triesBefore: number): void {
    const waitMs = sayAgainAfterMs[triesBefore]
    if (waitMs === undefined) return
    const timer = setTimeout(() => {
      // Those that were neither retracted nor changed meanwhile.
      const still = refused.filter((announcement) => this.#all.get(keyOf(announcement)) === announcement)
      void this.send(connection, still, undefined, triesBefore + 1)
    }, waitMs)
    timer.unref()
  }
}
