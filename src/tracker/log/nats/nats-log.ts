// The log in a replicated JetStream stream. One append is one message, so it is stored entirely or not at all.
// Messages have sequences, entries have positions, both without gaps. Reads messages of others when news of them
// comes, when a read needs them, and once a second: always by asking, because what a server remembers of a tracker is
// lost with that server.

import { randomBytes } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { crc32 } from 'node:zlib'
import { Failure, sentenceOf } from '../../../common/failure.ts'
import {
  entriesKeptBehindSnapshot,
  natsAppendPatienceMs,
  natsDoubtMs,
  natsDownPatienceMs,
  natsLookEveryMs,
  natsMessageBytesMax,
  natsPauseMs,
  natsReadPatienceMs,
  natsReadsAtOnce,
  natsStartPatienceMs,
} from '../../limits.ts'
import type { CommandLog, Kept, LogFollower, LogLag, SnapshotToKeep } from '../command-log.ts'
import { Doubts } from './doubts.ts'
import { formatNatsAddress, type NatsAddress } from './nats-address.ts'
import { natsFailure, NatsLink, withPatience } from './nats-link.ts'
import { NatsSnapshots, type StreamSnapshot } from './nats-snapshots.ts'
import { isNotFound, NatsStream, type StreamBounds } from './nats-stream.ts'

export interface NatsLogOptions {
  readonly entriesKept?: number
  readonly startPatienceMs?: number
  /** How long the log may seem to lack something before that is believed. */
  readonly doubtMs?: number
  /** Told why the start takes longer. */
  readonly onWaiting?: (sentence: string) => void
  readonly onLink?: (sentence: string) => void
}

/** Where a message ends: `position` is that of its last entry. */
interface Boundary {
  readonly sequence: number
  readonly position: number
}

interface Own {
  readonly id: string
  readonly onDelivered: () => void
}

export class NatsLog implements CommandLog {
  readonly #link: NatsLink
  readonly #stream: NatsStream
  readonly #snapshots: NatsSnapshots
  readonly #entriesKept: number
  readonly #startPatienceMs: number
  readonly #onWaiting: (sentence: string) => void
  readonly #newsSubject: string
  /** With a number it makes the ids of messages. */
  readonly #origin = randomBytes(9).toString('base64url')
  #nextNumber = 0
  #follower: LogFollower | undefined
  /** The last message that was delivered, and the position of its last entry. */
  #sequence = 0
  #position = 0
  /** Checksum of the last message; undefined when only a snapshot is known. */
  #checksum: number | undefined
  /** Ends of recent messages, oldest first, as far back as entries are kept behind a snapshot. */
  #boundaries: Boundary[] = []
  /** Sequence that the stream is known to reach. */
  #known = 0
  /** When everything in the stream was last known to be delivered, in milliseconds of `performance.now()`. */
  #seenEndAtMs = performance.now()
  #own: Own | undefined
  /** The last append; the next one waits for it. */
  #appended: Promise<void> = Promise.resolve()
  #filling: Promise<void> | undefined
  #asking: Promise<void> | undefined
  #askingNext: Promise<void> | undefined
  /** The stream has not answered lately; reads do not wait for it until it does. */
  #isBlind = false
  /** The server that answered for the stream when its content was last compared. */
  #leader: string | undefined
  readonly #doubts: Doubts
  #watch: NodeJS.Timeout | undefined
  #isOver = false

  private constructor(
    parts: { link: NatsLink; stream: NatsStream; snapshots: NatsSnapshots },
    options: NatsLogOptions,
  ) {
    this.#link = parts.link
    this.#stream = parts.stream
    this.#snapshots = parts.snapshots
    this.#entriesKept = options.entriesKept ?? entriesKeptBehindSnapshot
    this.#startPatienceMs = options.startPatienceMs ?? natsStartPatienceMs
    this.#doubts = new Doubts(options.doubtMs ?? natsDoubtMs)
    this.#onWaiting = options.onWaiting ?? (() => undefined)
    this.#newsSubject = `${parts.link.address.stream}.news`
  }

  /** Waits for servers that are starting. Rejects with a `start` or `data` failure that says what to do. */
  static async open(address: NatsAddress, options: NatsLogOptions = {}): Promise<NatsLog> {
    const { startPatienceMs = natsStartPatienceMs, onWaiting = () => undefined } = options
    let link: NatsLink | undefined
    try {
      return await withPatience(address, startPatienceMs, onWaiting, async () => {
        link ??= await NatsLink.open(address, options.onLink)
        const stream = await NatsStream.open(link)
        return new NatsLog({ link, stream, snapshots: await NatsSnapshots.open(link) }, options)
      })
    } catch (error) {
      await link?.close()
      throw error
    }
  }

  async follow(follower: LogFollower): Promise<void> {
    this.#follower = follower
    await withPatience(this.#link.address, this.#startPatienceMs, this.#onWaiting, () => this.#followAll())
    this.#link.listen(this.#newsSubject, (text) => this.#onNews(Number(text)))
    this.#link.onUp(() => {
      // These may be servers that were set back to an earlier time: compare what they have.
      this.#leader = undefined
      void this.#look()
    })
    this.#watch = setInterval(() => void this.#look(), natsLookEveryMs)
    this.#watch.unref()
  }

  append(entries: readonly string[]): Promise<void> {
    const appending = this.#appended.then(() => this.#append(entries))
    this.#appended = appending.catch(() => undefined)
    return appending
  }

  get isCurrent(): boolean {
    return !this.#isBlind && !this.#isOver && this.#link.downForMs === 0
  }

  /** Counted in messages, each of at least one entry: what is in them is unknown until they are read. */
  lag(): LogLag {
    const entries = Math.max(0, this.#known - this.#sequence)
    return { entries, ms: performance.now() - this.#seenEndAtMs }
  }

  sync(): Promise<void> | undefined {
    if (this.#isBlind || this.#isOver || this.#link.downForMs > 0) return undefined
    if (this.#asking === undefined) {
      this.#asking = this.#ask().finally(() => {
        this.#asking = undefined
      })
      return this.#asking
    }
    // The question under way may be answered with what was true before this read came.
    this.#askingNext ??= this.#asking.then(() => {
      this.#askingNext = undefined
      return this.sync()
    })
    return this.#askingNext
  }

  async saveSnapshot(take: (kept: Kept) => SnapshotToKeep | undefined): Promise<void> {
    try {
      const before = await this.#snapshots.kept()
      const snapshot = take(before)
      if (snapshot === undefined || snapshot.position <= before.position) return
      // In the same turn: entries of a message are delivered together, so both mean the same state.
      const sequence = this.#sequence
      if (snapshot.position !== this.#position) throw new Error('a snapshot is not of the last entry')
      const kept = this.#boundaries.findLast(
        ({ position }) => position <= snapshot.position - this.#entriesKept,
      )
      const after = 'changed' in snapshot && snapshot.isWhole === true ? 0 : before.ofSections
      const neededFrom = await this.#snapshots.write(snapshot, sequence, after)
      // Only now that the snapshot is whole may the entries go that it replaces.
      if (kept !== undefined) await this.#stream.truncate(Math.min(kept.sequence, neededFrom))
    } catch (error) {
      const where = formatNatsAddress(this.#link.address)
      throw new Failure('data', `cannot write a snapshot to ${where}: ${sentenceOf(error)}`, error)
    }
  }

  async close(): Promise<void> {
    this.#isOver = true
    clearInterval(this.#watch)
    await this.#link.close()
  }

  async #followAll(): Promise<void> {
    const bounds = await this.#stream.bounds()
    const snapshot = await this.#snapshots.newest()
    if (snapshot !== undefined && snapshot.snapshot.position > this.#position) this.#deliverSnapshot(snapshot)
    // Retried for a while: a leader that was just elected may briefly know less.
    if (bounds.last < this.#sequence) throw new Failure('start', this.#damaged(this.#endsAt(bounds)).message)
    this.#known = bounds.last
    await this.#fill()
    this.#leader = bounds.leader
    this.#seenEndAtMs = performance.now()
  }

  async #append(entries: readonly string[]): Promise<void> {
    const data = Buffer.from(JSON.stringify(entries))
    if (data.length > natsMessageBytesMax) throw new Failure('data', 'too many bytes for one append')
    const id = `${this.#origin}.${this.#nextNumber++}`
    const giveUpAtMs = performance.now() + natsAppendPatienceMs
    const delivered = new Promise<void>((onDelivered) => {
      this.#own = { id, onDelivered }
    })
    try {
      let trouble: unknown = new Error('there is no connection')
      while (this.#own !== undefined) {
        if (this.#isOver) throw new Failure('data', 'the log is closed')
        if (this.#link.downForMs > natsDownPatienceMs || performance.now() > giveUpAtMs)
          throw natsFailure(this.#link.address, trouble)
        try {
          // Publishes nothing without a connection: the library would send it when there is one again.
          if (this.#link.downForMs === 0) await this.#publish(data, id, entries)
        } catch (error) {
          trouble = error
        }
        if (this.#own !== undefined) await Promise.race([delivered, setTimeout(natsPauseMs)])
      }
    } finally {
      this.#own = undefined
    }
  }

  /** One try; the same message, sent again after an uncertain end, is recognised by its id. */
  async #publish(data: Buffer, id: string, entries: readonly string[]): Promise<void> {
    const { sequence, isDuplicate } = await this.#stream.publish(data, id)
    this.#link.tell(this.#newsSubject, String(sequence))
    // The answer comes when the message is committed. It is the next one here unless others wrote too.
    if (!isDuplicate && sequence === this.#sequence + 1) this.#deliver(sequence, id, data, entries)
    else if (sequence > this.#sequence) this.#onNews(sequence)
    else if (!isDuplicate && this.#own !== undefined)
      this.#onTrouble(this.#damaged(`message ${sequence} was written again`))
  }

  #onNews(sequence: number): void {
    if (!Number.isSafeInteger(sequence) || sequence <= this.#known) return
    this.#known = sequence
    this.#fill().catch((error: unknown) => this.#onTrouble(error))
  }

  /** Runs once at a time; raising `#known` meanwhile extends the run. */
  async #fill(): Promise<void> {
    if (this.#sequence < this.#known) await (this.#filling ??= this.#fillUp())
  }

  /** Reads and delivers up to `#known`, which it lowers if the stream ends earlier. */
  async #fillUp(): Promise<void> {
    try {
      while (this.#sequence < this.#known && !this.#isOver) await this.#readSome()
    } finally {
      // In the same turn that saw nothing left, so that nobody waits for a run that is over.
      this.#filling = undefined
    }
  }

  async #readSome(): Promise<void> {
    const first = this.#sequence + 1
    const count = Math.min(natsReadsAtOnce, this.#known - this.#sequence)
    const sequences = Array.from({ length: count }, (_, index) => first + index)
    const messages = await Promise.all(sequences.map((sequence) => this.#stream.read(sequence)))
    for (const [index, message] of messages.entries()) {
      const sequence = first + index
      // Own messages are delivered when they are acknowledged, perhaps during this reading.
      if (sequence <= this.#sequence) continue
      if (message === undefined) return this.#onMissing(sequence)
      this.#deliver(sequence, message.id, message.data, this.#entriesOf(sequence, message.data))
    }
  }

  /** A message is not there: it was truncated, or does not exist yet, or a replica does not have it yet. */
  async #onMissing(sequence: number): Promise<void> {
    const bounds = await this.#stream.bounds()
    if (bounds.first > sequence) {
      const snapshot = await this.#snapshots.newest()
      if (snapshot !== undefined && snapshot.sequence + 1 >= bounds.first) {
        this.#deliverSnapshot(snapshot)
        return
      }
      // The snapshots have a leader of their own. One that was just elected may not know the newest yet.
      const what = `entries up to message ${bounds.first}`
      if (this.#doubts.lasts('snapshot'))
        throw this.#damaged(`${what} are missing, and no snapshot stands for them`)
      await setTimeout(natsPauseMs)
    } else if (bounds.last < sequence) {
      this.#known = bounds.last
    } else {
      if (this.#doubts.lasts('message')) throw this.#damaged(`message ${sequence} is missing`)
      await setTimeout(natsPauseMs)
    }
  }

  #entriesOf(sequence: number, data: Uint8Array): string[] {
    try {
      const entries: unknown = JSON.parse(Buffer.from(data).toString())
      if (Array.isArray(entries) && entries.every((entry) => typeof entry === 'string')) return entries
    } catch {
      // Reported below.
    }
    throw this.#damaged(`message ${sequence} was not written by a tracker`)
  }

  #deliver(sequence: number, id: string, data: Uint8Array, entries: readonly string[]): void {
    // Set first, so that a message is never delivered twice, whatever the follower does.
    this.#sequence = sequence
    this.#checksum = crc32(data)
    this.#doubts.settle('message')
    for (const text of entries) {
      this.#position++
      this.#follower?.onEntry(this.#position, text)
    }
    this.#rememberBoundary()
    if (this.#own?.id !== id) return
    this.#own.onDelivered()
    this.#own = undefined
  }

  #deliverSnapshot({ sequence, snapshot }: StreamSnapshot): void {
    this.#sequence = sequence
    this.#doubts.settle('snapshot')
    this.#position = snapshot.position
    this.#checksum = undefined
    this.#boundaries = []
    this.#rememberBoundary()
    this.#follower?.onSnapshot(snapshot)
  }

  #rememberBoundary(): void {
    this.#boundaries.push({ sequence: this.#sequence, position: this.#position })
    const keptFrom = this.#position - this.#entriesKept
    while ((this.#boundaries[1]?.position ?? Infinity) <= keptFrom) this.#boundaries.shift()
  }

  /** Waits until everything that is in the stream now is delivered, for at most `natsReadPatienceMs`. */
  async #ask(): Promise<void> {
    const tooLate = setTimeout(natsReadPatienceMs, 'too late', { ref: false })
    if ((await Promise.race([this.#look(), tooLate])) === 'too late') this.#isBlind = true
  }

  /** Asks what is in the stream and reads what is new. Never rejects. */
  async #look(): Promise<void> {
    if (this.#link.downForMs > 0) return
    try {
      const bounds = await this.#stream.bounds()
      this.#doubts.settle('stream')
      if (bounds.last < this.#sequence) {
        if (this.#doubts.lasts('end')) throw this.#damaged(this.#endsAt(bounds))
        return
      }
      this.#doubts.settle('end')
      if (bounds.leader !== this.#leader) await this.#compare(bounds)
      this.#known = Math.max(this.#known, bounds.last)
      await this.#fill()
      this.#isBlind = false
      this.#seenEndAtMs = performance.now()
    } catch (error) {
      this.#onTrouble(error)
    }
  }

  /**
   * Servers that lost what they had acknowledged (all their disks, or all their power at once) may have other
   * messages where this tracker has read some. Going on would make trackers disagree.
   */
  async #compare(bounds: StreamBounds): Promise<void> {
    const [sequence, checksum] = [this.#sequence, this.#checksum]
    if (checksum !== undefined && sequence >= bounds.first && sequence <= bounds.last) {
      const message = await this.#stream.read(sequence)
      if (message !== undefined && crc32(message.data) !== checksum)
        throw this.#damaged(`message ${sequence} is not the one that was read from it before`)
    }
    this.#leader = bounds.leader
  }

  #onTrouble(cause: unknown): void {
    this.#isBlind = true
    const isGone = isNotFound(cause) && this.#doubts.lasts('stream')
    const error = isGone ? this.#damaged('the stream is gone') : cause
    // Errors of the library pass by themselves, or need a person to look after the servers.
    if (!(error instanceof Failure) || this.#isOver) return
    this.#isOver = true
    clearInterval(this.#watch)
    this.#follower?.onLost(error)
  }

  #endsAt(bounds: StreamBounds): string {
    return `it ends at message ${bounds.last}, and has been read up to ${this.#sequence}`
  }

  #damaged(why: string): Failure {
    return new Failure(
      'data',
      `the log ${formatNatsAddress(this.#link.address)} has lost entries (${why}); restore the streams from a backup, or name another log to begin anew`,
    )
  }
}
