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

/** What waits to be said to one tracker, the newest of each version. */
interface Outbox {
  readonly announce: Map<string, Announcement>
  readonly retract: Map<string, FileVersion>
  sending: Promise<void> | undefined
}

export class Announcements {
  readonly #all = new Map<string, Announcement>()
  readonly #outboxes = new WeakMap<TrackerConnection, Outbox>()

  /** From now on this is to be known. */
  put(file: FileVersion, complete: boolean): Announcement {
    const announcement = { group: file.group, name: file.name, fileId: file.fileId, complete }
    this.#all.set(keyOf(file), announcement)
    return announcement
  }

  /** False when this version was not announced. */
  drop(file: FileVersion): boolean {
    return this.#all.get(keyOf(file))?.fileId === file.fileId && this.#all.delete(keyOf(file))
  }

  clear(): void {
    this.#all.clear()
  }

  /**
   * Says this to a tracker that is logged in to, together with whatever else is to be said to it by then:
   * thousands of files that come at once must not fill the connection. Resolves when that is answered, and
   * never rejects.
   */
  say(connection: TrackerConnection, announcement: Announcement, timeoutMs?: number): Promise<void> {
    const outbox = this.#outboxOf(connection)
    outbox.announce.set(versionOf(announcement), announcement)
    outbox.retract.delete(versionOf(announcement))
    return this.#sendSoon(connection, outbox, timeoutMs)
  }

  /** Says that this is not served any more. A tracker that goes away forgets it by itself. */
  sayNot(connection: TrackerConnection, { group, name, fileId }: FileVersion): void {
    const outbox = this.#outboxOf(connection)
    outbox.retract.set(versionOf({ group, name, fileId }), { group, name, fileId })
    outbox.announce.delete(versionOf({ group, name, fileId }))
    void this.#sendSoon(connection, outbox)
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

  #outboxOf(connection: TrackerConnection): Outbox {
    let outbox = this.#outboxes.get(connection)
    if (outbox === undefined) {
      outbox = { announce: new Map(), retract: new Map(), sending: undefined }
      this.#outboxes.set(connection, outbox)
    }
    return outbox
  }

  /** One batch is under way at a time; what comes meanwhile goes with the next. */
  #sendSoon(connection: TrackerConnection, outbox: Outbox, timeoutMs?: number): Promise<void> {
    outbox.sending = (outbox.sending ?? nextTurn()).then(async () => {
      const announcements = [...outbox.announce.values()]
      const retracted = [...outbox.retract.values()]
      outbox.announce.clear()
      outbox.retract.clear()
      await this.send(connection, announcements, timeoutMs)
      await retractAll(connection, retracted)
    })
    const sending = outbox.sending
    return sending.finally(() => {
      if (outbox.sending === sending) outbox.sending = undefined
    })
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

async function retractAll(connection: TrackerConnection, files: readonly FileVersion[]): Promise<void> {
  for (let at = 0; at < files.length; at += announceBatchFiles) {
    if (connection.loggedInAs === undefined) return
    try {
      await connection.request('retract', { files: files.slice(at, at + announceBatchFiles) })
    } catch (error) {
      if (!(error instanceof Failure)) throw error
    }
  }
}

function versionOf(file: FileVersion): string {
  return `${keyOf(file)} ${file.fileId}`
}

/** What is said in this turn goes together. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
