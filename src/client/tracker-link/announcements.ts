// Announces to every tracker what this client serves: when it changes, when a tracker comes back, and when a
// tracker refused it for the moment. Sends in batches, one at a time to each tracker.

import { Failure } from '../../common/failure.ts'
import { announceBatchFiles } from '../../common/limits.ts'
import type { FileVersion } from '../../common/protocol/fields.ts'
import { keyOf } from '../file-key.ts'
import type { TrackerConnection } from './tracker-connection.ts'

type Announcement = FileVersion & { readonly complete: boolean }

/**
 * A tracker that is behind the others refuses a file that was just shared, so it is announced again after
 * these delays. A file that is really gone is retracted when the trackers report it.
 */
const sayAgainAfterMs = [250, 1000, 4000, 15_000] as const

/** Delay before repeating a batch that was refused as a whole. */
const troubleMs = 2000

interface Said {
  readonly announcement: Announcement
  /** How often it was refused. */
  readonly refusals: number
}

/** What waits to be sent to one tracker: the newest state of each version. */
interface Outbox {
  readonly announce: Map<string, Said>
  readonly retract: Map<string, FileVersion>
  sending: Promise<void> | undefined
}

export class Announcements {
  /** By version: a name may briefly have an old and a new one. */
  readonly #all = new Map<string, Announcement>()
  #outboxes = new WeakMap<TrackerConnection, Outbox>()

  /** Adds a file to what every tracker should know. */
  put(file: FileVersion, complete: boolean): Announcement {
    const announcement = { group: file.group, name: file.name, fileId: file.fileId, complete }
    this.#all.set(versionOf(file), announcement)
    return announcement
  }

  /** Returns false when this version was not announced. */
  drop(file: FileVersion): boolean {
    return this.#all.delete(versionOf(file))
  }

  clear(): void {
    this.#all.clear()
    this.#outboxes = new WeakMap()
  }

  /**
   * Announces to a tracker where the user is logged in, batched with whatever else waits. Resolves when the
   * tracker has answered. Never rejects: after a broken connection everything is announced again.
   */
  say(connection: TrackerConnection, announcement: Announcement, timeoutMs?: number): Promise<void> {
    return this.#say(connection, [{ announcement, refusals: 0 }], timeoutMs)
  }

  /** Retracts a file. A tracker that loses the connection forgets the file by itself. */
  sayNot(connection: TrackerConnection, { group, name, fileId }: FileVersion): void {
    const outbox = this.#outboxOf(connection)
    const version = versionOf({ group, name, fileId })
    outbox.retract.set(version, { group, name, fileId })
    outbox.announce.delete(version)
    void this.#sendSoon(connection, outbox)
  }

  /** Announces everything to a tracker after a login. Never rejects. */
  sendAll(connection: TrackerConnection): Promise<void> {
    return this.#say(
      connection,
      [...this.#all.values()].map((announcement) => ({ announcement, refusals: 0 })),
    )
  }

  #say(connection: TrackerConnection, all: readonly Said[], timeoutMs?: number): Promise<void> {
    const outbox = this.#outboxOf(connection)
    for (const said of all) {
      outbox.announce.set(versionOf(said.announcement), said)
      outbox.retract.delete(versionOf(said.announcement))
    }
    return this.#sendSoon(connection, outbox, timeoutMs)
  }

  #outboxOf(connection: TrackerConnection): Outbox {
    let outbox = this.#outboxes.get(connection)
    if (outbox === undefined) {
      outbox = { announce: new Map(), retract: new Map(), sending: undefined }
      this.#outboxes.set(connection, outbox)
    }
    return outbox
  }

  /** Sends one batch at a time; what arrives meanwhile goes with the next. */
  #sendSoon(connection: TrackerConnection, outbox: Outbox, timeoutMs?: number): Promise<void> {
    const sending = (outbox.sending ?? nextTurn()).then(async () => {
      const announced = [...outbox.announce.values()]
      const retracted = [...outbox.retract.values()]
      outbox.announce.clear()
      outbox.retract.clear()
      await this.#announce(connection, announced, timeoutMs)
      await this.#retract(connection, retracted)
    })
    outbox.sending = sending
    return sending.finally(() => {
      if (outbox.sending === sending) outbox.sending = undefined
    })
  }

  async #announce(connection: TrackerConnection, all: readonly Said[], timeoutMs?: number): Promise<void> {
    for (let at = 0; at < all.length; at += announceBatchFiles) {
      // Skips what was retracted or changed meanwhile, or belonged to a user who has logged out.
      const batch = all.slice(at, at + announceBatchFiles).filter((said) => this.#isCurrent(said))
      if (connection.loggedInAs === undefined || batch.length === 0) continue
      const files = batch.map(({ announcement }) => announcement)
      const answer = await answered(connection.request('announce', { files }, timeoutMs))
      if (answer === undefined) continue
      if (!answer.ok) {
        this.#sayAgain(connection, batch, troubleMs)
        continue
      }
      const refused = new Set(answer.value.refused.map(keyOf))
      for (const said of batch) if (refused.has(keyOf(said.announcement))) this.#onRefused(connection, said)
    }
  }

  async #retract(connection: TrackerConnection, files: readonly FileVersion[]): Promise<void> {
    for (let at = 0; at < files.length; at += announceBatchFiles) {
      if (connection.loggedInAs === undefined) return
      const batch = files.slice(at, at + announceBatchFiles)
      const answer = await answered(connection.request('retract', { files: batch }))
      if (answer?.ok !== false) continue
      const timer = setTimeout(() => {
        for (const file of batch) if (!this.#all.has(versionOf(file))) this.sayNot(connection, file)
      }, troubleMs)
      timer.unref()
    }
  }

  #isCurrent({ announcement }: Said): boolean {
    return this.#all.get(versionOf(announcement)) === announcement
  }

  #onRefused(connection: TrackerConnection, said: Said): void {
    const waitMs = sayAgainAfterMs[said.refusals]
    if (waitMs === undefined) return
    this.#sayAgain(connection, [{ ...said, refusals: said.refusals + 1 }], waitMs)
  }

  #sayAgain(connection: TrackerConnection, all: readonly Said[], waitMs: number): void {
    const timer = setTimeout(() => {
      const still = all.filter((said) => this.#isCurrent(said))
      if (still.length > 0) void this.#say(connection, still)
    }, waitMs)
    timer.unref()
  }
}

/** Undefined when the connection breaks or the answer is late. */
async function answered<T>(request: Promise<T>): Promise<T | undefined> {
  return request.catch((error: unknown) => {
    if (!(error instanceof Failure)) throw error
    return undefined
  })
}

function versionOf(file: FileVersion): string {
  return `${keyOf(file)} ${file.fileId}`
}

/** Resolves in the next turn of the event loop, so that all announcements of this one form a batch. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
