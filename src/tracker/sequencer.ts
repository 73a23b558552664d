// Brings every change into the one order of the log: append → durable → delivered back in log order →
// apply → reply. Holds the state; everybody else reads it here. Knows neither sockets nor engines.

import { randomBytes } from 'node:crypto'
import { Failure, sentenceOf } from '../common/failure.ts'
import { refuse } from '../common/refusal.ts'
import { appendBytesMax, commandsPerSnapshot, commandsWaitingMax } from './limits.ts'
import type { CommandLog, LogFollower, LogLag, LogSnapshot } from './log/command-log.ts'
import { reach } from './moments.ts'
import { apply } from './state/apply.ts'
import { isCommand, type Command } from './state/commands.ts'
import type { Effect } from './state/effects.ts'
import { restoreSnapshot, takeSnapshot } from './state/snapshot.ts'
import { emptyState, type Outcome, type State } from './state/state.ts'

export interface SequencerEvents {
  /** Of every applied command, whichever tracker appended it. */
  onEffect(effect: Effect): void
  /** The state was replaced by a later one, without the effects of the commands in between. */
  onStateReplaced(): void
  /** The state was written down, so that a start need not read the whole log. */
  onSnapshotTaken?(position: number, tookMs: number): void
  /** The log could not be written; those who waited were told. It may work again. */
  onTrouble(sentence: string): void
  /** The state cannot be trusted or followed any more: end the process, a new one replays the log. */
  onLost(failure: Failure): void
}

export interface SequencerOptions {
  readonly commandsPerSnapshot?: number
}

interface Waiting {
  readonly number: number
  readonly command: Command
  readonly reply: (outcome: Outcome) => void
}

/** A snapshot that failed is tried again when so much of the usual number of commands has come. */
const retriedAfterShare = 0.1

const cannotSave = refuse('unavailable', 'the tracker cannot save changes at the moment; try again later')
const tooBusy = refuse('busy', 'the tracker has too much to do at the moment; try again later')

export class Sequencer implements LogFollower {
  readonly #log: CommandLog
  readonly #events: SequencerEvents
  readonly #commandsPerSnapshot: number
  /** With a command's number it tells this tracker's own entries from those of others and of earlier runs. */
  readonly #origin = randomBytes(9).toString('base64url')
  #state: State = emptyState()
  #position = 0
  #snapshotPosition = 0
  #nextNumber = 0
  /** Not handed to the log yet. */
  #collected: Waiting[] = []
  /** Handed to the log, by number. */
  readonly #sent = new Map<number, Waiting>()
  /** The append that is under way. */
  #append: Promise<void> | undefined
  #willAppend = false
  #isFresh = false
  #lost: Failure | undefined
  #isStopping = false

  constructor(log: CommandLog, events: SequencerEvents, options: SequencerOptions = {}) {
    this.#log = log
    this.#events = events
    this.#commandsPerSnapshot = options.commandsPerSnapshot ?? commandsPerSnapshot
  }

  /** Reads the log up to now. Rejects with a `data` failure when it cannot be read. */
  async start(): Promise<void> {
    await this.#log.follow(this)
    if (this.#lost !== undefined) throw this.#lost
  }

  /** With everything that was applied so far. Who must see what others were told is done calls `sync` before. */
  get state(): State {
    return this.#state
  }

  /**
   * Brings the state up to date: with all that was acknowledged, here or at any other tracker, before the call.
   * Undefined where that has happened at once; else it resolves when it has, and never rejects.
   */
  sync(): Promise<void> | undefined {
    if (this.#isFresh || this.#lost !== undefined) return undefined
    const syncing = this.#log.sync()
    if (syncing !== undefined) return syncing
    // Once a turn, so that a look costs next to nothing.
    this.#isFresh = true
    setImmediate(() => {
      this.#isFresh = false
    })
    return undefined
  }

  /** Position of the last command that was applied. */
  get position(): number {
    return this.#position
  }

  /** How far this tracker is behind the log. */
  get lag(): LogLag {
    return this.#log.lag?.() ?? { entries: 0, ms: 0 }
  }

  /** Puts a command into the order. The outcome comes when it is durable and applied; never rejects. */
  submit(command: Command): Promise<Outcome> {
    return new Promise((reply) => {
      if (this.#lost !== undefined || this.#isStopping) {
        reply(cannotSave)
      } else if (this.#collected.length + this.#sent.size >= commandsWaitingMax) {
        reply(tooBusy)
      } else {
        this.#collected.push({ number: this.#nextNumber++, command, reply })
        this.#appendWhenTurnEnds()
      }
    })
  }

  /** Takes no more commands and finishes those that it has. */
  async stop(): Promise<void> {
    this.#isStopping = true
    while (this.#append !== undefined || this.#collected.length > 0) {
      this.#append ??= this.#appendCollected()
      await this.#append
    }
  }

  onSnapshot(snapshot: LogSnapshot): void {
    try {
      this.#state = restoreSnapshot(snapshot.text)
    } catch (error) {
      this.#lose(error)
      return
    }
    this.#position = snapshot.position
    this.#snapshotPosition = snapshot.position
    this.#events.onStateReplaced()
  }

  onEntry(position: number, text: string): void {
    if (this.#lost !== undefined) return
    try {
      const entry = parseEntry(position, text)
      reach('before apply')
      const applied = apply(this.#state, entry.command)
      reach('after apply')
      this.#position = position
      // Reply after the entry came back from the log, never before: a log delivers only what is durable,
      // so a client that was told "done" finds its change even if the power fails now.
      if (entry.origin === this.#origin) this.#settle(entry.number, applied.outcome)
      for (const effect of applied.effects) this.#events.onEffect(effect)
    } catch (error) {
      this.#lose(error)
    }
  }

  onLost(failure: Failure): void {
    this.#lose(failure)
  }

  #settle(number: number, outcome: Outcome): void {
    const waiting = this.#sent.get(number)
    if (waiting === undefined) return
    this.#sent.delete(number)
    reach('before reply')
    waiting.reply(outcome)
    reach('after reply')
  }

  /** All commands that arrive in one turn of the event loop share one append, and with it one commit. */
  #appendWhenTurnEnds(): void {
    if (this.#append !== undefined || this.#willAppend) return
    this.#willAppend = true
    setImmediate(() => {
      this.#willAppend = false
      if (this.#collected.length > 0) this.#append ??= this.#appendCollected()
    })
  }

  /** One append at a time keeps commands in the order of their arrival; meanwhile the next batch collects. */
  async #appendCollected(): Promise<void> {
    const { batch, entries } = this.#nextBatch()
    try {
      reach('before append')
      await this.#log.append(entries)
      reach('after append')
      this.#snapshotWhenDue()
    } catch (error) {
      this.#events.onTrouble(sentenceOf(error))
      // Should such an entry turn up in the log after all, it is applied like any other: the client
      // was told "unavailable", not "no", and a retry with the same id has the outcome of that one.
      for (const waiting of batch) this.#settle(waiting.number, cannotSave)
    }
    this.#append = undefined
    if (this.#collected.length > 0) this.#appendWhenTurnEnds()
  }

  /** As many of the collected commands as fit into one append; one at least. */
  #nextBatch(): { batch: Waiting[]; entries: string[] } {
    const entries: string[] = []
    let bytes = 0
    for (const { number, command } of this.#collected) {
      const entry = encodeEntry({ origin: this.#origin, number, command })
      bytes += Buffer.byteLength(entry)
      if (bytes > appendBytesMax && entries.length > 0) break
      entries.push(entry)
    }
    const batch = this.#collected.splice(0, entries.length)
    for (const waiting of batch) this.#sent.set(waiting.number, waiting)
    return { batch, entries }
  }

  #snapshotWhenDue(): void {
    if (this.#position - this.#snapshotPosition < this.#commandsPerSnapshot || this.#lost !== undefined)
      return
    this.#snapshotPosition = this.#position
    reach('before snapshot')
    const startedAtMs = performance.now()
    let position: number | undefined
    const take = (): LogSnapshot => {
      position = this.#position
      return { position, text: takeSnapshot(this.#state) }
    }
    this.#log
      .saveSnapshot(take)
      .then(() => {
        reach('after snapshot')
        if (position !== undefined) this.#events.onSnapshotTaken?.(position, performance.now() - startedAtMs)
      })
      .catch((error: unknown) => {
        this.#events.onTrouble(sentenceOf(error))
        // Not at every append from now on, and not only when the log is twice as long either.
        this.#snapshotPosition -= Math.floor(this.#commandsPerSnapshot * (1 - retriedAfterShare))
      })
  }

  #lose(error: unknown): void {
    if (this.#lost !== undefined) return
    this.#lost = error instanceof Failure ? error : new Failure('data', sentenceOf(error), error)
    const unanswered = [...this.#sent.values(), ...this.#collected]
    this.#sent.clear()
    this.#collected = []
    for (const waiting of unanswered) waiting.reply(cannotSave)
    this.#events.onLost(this.#lost)
  }
}

/** An entry of the log. `origin` and `number` are for the tracker that waits for it, not for the state. */
interface Entry {
  readonly origin: string
  readonly number: number
  readonly command: Command
}

function encodeEntry(entry: Entry): string {
  return JSON.stringify(entry)
}

/** Own entries are read like everybody's: what is applied is what is in the log, to the letter. */
function parseEntry(position: number, text: string): Entry {
  let entry: Partial<Entry> | null
  try {
    entry = JSON.parse(text) as Partial<Entry> | null
  } catch (error) {
    throw new Failure('data', `entry ${position} of the log is damaged`, error)
  }
  if (!isCommand(entry?.command)) {
    throw new Failure('data', `entry ${position} of the log is from a newer version of the tracker`)
  }
  return { origin: String(entry.origin), number: Number(entry.number), command: entry.command }
}
