// Brings every change into the one order of the log: append → durable → delivered back in log order →
// apply → reply. Holds the state; everybody else reads it here. Knows neither sockets nor engines.

import { randomBytes } from 'node:crypto'
import { Failure, sentenceOf } from '../common/failure.ts'
import { parseEntry } from './entry.ts'
import {
  commandsPerSnapshot,
  commandsPerLegacySnapshot,
  commandsWaitingMax,
  doubtMs,
  lossBelievedMs,
} from './limits.ts'
import type { CommandLog, LogFollower, LogLag, LogSnapshot, SnapshotToKeep } from './log/command-log.ts'
import { reach } from './moments.ts'
import { PendingCommands } from './pending-commands.ts'
import { apply } from './state/apply.ts'
import type { At, Command } from './state/commands.ts'
import type { Effect } from './state/effects.ts'
import { emptyState } from './state/empty-state.ts'
import { restoreLegacySnapshot, takeLegacySnapshot, type Wording } from './state/legacy-snapshot.ts'
import { newestLevel } from './state/levels.ts'
import { no, type Outcome } from './state/outcomes.ts'
import { changedSections, restoreSections } from './state/sections.ts'
import type { State } from './state/state.ts'
import type { UnderWay } from './state/under-way.ts'

/** A command that was applied, whichever tracker appended it, and what came of it. */
export interface AppliedEntry extends At {
  /** Of the process that appended it. */
  readonly origin: string
  readonly command: Command
  readonly outcome: Outcome
  readonly effects: readonly Effect[]
}

export interface SequencerEvents {
  onApplied(entry: AppliedEntry): void
  /** How long it took to apply this command and to pass on what came of it. */
  onTook?(command: Command, ms: number): void
  /** The state was replaced by a later one, without the effects of the commands in between. */
  onStateReplaced(): void
  /** A snapshot was saved, so that a start need not read the whole log. */
  onSnapshotTaken?(position: number, tookMs: number): void
  /** The log could not be written, and waiting commands were answered so. It may work again. */
  onTrouble(sentence: string): void
  /** The state can no longer be trusted or followed: end the process, and a new one replays the log. */
  onLost(failure: Failure): void
}

export interface SequencerOptions {
  /** Also holds for whole snapshots, at level 1. */
  readonly commandsPerSnapshot?: number
  /** The newest level of the state that this program can follow. */
  readonly level?: number
  readonly nowMs?: () => number
  /** See `lossBelievedMs` of limits.ts. */
  readonly lossBelievedMs?: number
  /** How refusals are worded in snapshots of level 1. */
  readonly wording?: Wording
}

/** A failed snapshot is retried after this share of the usual number of commands. */
const retriedAfterShare = 0.1

const cannotSave = no('cannot-save')
const tooBusy = no('too-busy')

export class Sequencer implements LogFollower {
  readonly #log: CommandLog
  readonly #events: SequencerEvents
  readonly #options: Required<Omit<SequencerOptions, 'commandsPerSnapshot'>>
  readonly #commandsPerSnapshot: number | undefined
  /** With a command's number it tells this tracker's own entries from those of others and of earlier runs. */
  readonly #origin = randomBytes(9).toString('base64url')
  #state: State = emptyState()
  #snapshotPosition = 0
  #entriesRead = 0
  /** Up to this position every change is in kept sections, and is no longer tracked. */
  #keptUntil = 0
  /** The snapshot that this began with is of level 1. */
  #isKeptAsText = false
  /** Since when the log has less than was kept there; undefined while it has not. */
  #lessKeptSinceMs: number | undefined
  /** The snapshot that is being written. */
  #writing: Promise<void> | undefined
  readonly #pending = new PendingCommands()
  /** Until then the log may deliver entries of appends that failed, of an earlier process, or of another tracker. */
  #inDoubtUntilMs = -Infinity
  /** The append that is under way. */
  #append: Promise<void> | undefined
  #willAppend = false
  /** When it was last known at once what the log has, by `performance.now()`. */
  #lookedAtMs = -Infinity
  #lost: Failure | undefined
  #isStopping = false

  constructor(log: CommandLog, events: SequencerEvents, options: SequencerOptions = {}) {
    this.#log = log
    this.#events = events
    this.#commandsPerSnapshot = options.commandsPerSnapshot
    const { level = newestLevel, nowMs = Date.now, wording = () => ['unavailable', ''] } = options
    this.#options = { level, nowMs, wording, lossBelievedMs: options.lossBelievedMs ?? lossBelievedMs }
  }

  /** Reads the log up to now. Rejects with a `data` failure when it cannot be read. */
  async start(): Promise<void> {
    await this.#log.follow(this)
    if (this.#lost !== undefined) throw this.#lost
  }

  /** Includes everything applied so far. Call `sync` first to see all that was acknowledged anywhere. */
  get state(): State {
    return this.#state
  }

  /**
   * Brings the state up to date with all that was acknowledged, here or at any other tracker, before `askedAtMs` (of
   * `performance.now()`). Undefined when that is so already, or happened at once; else it resolves when it has, and
   * never rejects.
   */
  sync(askedAtMs = performance.now()): Promise<void> | undefined {
    // One look serves all that came before it. What came after it may know more, even in the same turn.
    if (this.#lookedAtMs > askedAtMs || this.#lost !== undefined) return undefined
    const lookedAtMs = performance.now()
    const syncing = this.#log.sync()
    if (syncing === undefined) this.#lookedAtMs = lookedAtMs
    return syncing
  }

  /** Position of the last command that was applied. */
  get position(): number {
    return this.#state.position
  }

  /** Entries applied since the process began. */
  get entriesRead(): number {
    return this.#entriesRead
  }

  /** Whether the state has all that is acknowledged anywhere, as far as `sync` could know. */
  get isCurrent(): boolean {
    return this.#log.isCurrent
  }

  /**
   * Whether an earlier try of a command may be on its way without being known here: through another tracker, which may
   * hang for long; by an append that failed; or by an earlier process of this tracker.
   */
  get isInDoubt(): boolean {
    return this.#state.trackers.size > 1 || performance.now() < this.#inDoubtUntilMs
  }

  /** What the commands on their way through this tracker are about. */
  get underWay(): UnderWay {
    return this.#pending.underWay
  }

  /** How far this tracker is behind the log. */
  get lag(): LogLag {
    return this.#log.lag?.() ?? { entries: 0, ms: 0 }
  }

  /** Puts a command into the order. Resolves to its outcome when it is durable and applied; never rejects. */
  submit(command: Command, from?: string): Promise<Outcome> {
    return new Promise((reply) => {
      if (this.#lost !== undefined || this.#isStopping) {
        reply(cannotSave)
      } else if (this.#pending.size >= commandsWaitingMax) {
        reply(tooBusy)
      } else {
        this.#pending.add(command, from, this.position, reply)
        this.#appendWhenTurnEnds()
      }
    })
  }

  /**
   * Takes a snapshot if one is due, and waits for it. Called before anybody is served, because a first snapshot takes
   * seconds. Never rejects: errors go to `onTrouble`.
   */
  async writeDown(): Promise<void> {
    // A snapshot that is kept as one text, by the rules of level 1, is written anew in sections.
    if (this.#isKeptAsText && this.#state.level > 1) this.#snapshotPosition = -Infinity
    await (this.#writing ?? this.#snapshotWhenDue())
  }

  /** Accepts no more commands and finishes those it has. */
  async stop(): Promise<void> {
    this.#isStopping = true
    while (this.#append !== undefined || this.#pending.hasCollected) {
      this.#append ??= this.#appendCollected()
      await this.#append
    }
  }

  onSnapshot(snapshot: LogSnapshot): void {
    const { position } = snapshot
    try {
      this.#state =
        'text' in snapshot
          ? restoreLegacySnapshot(snapshot.text, position)
          : restoreSections(snapshot.sections, position)
      this.#checkLevel(this.#state.level)
    } catch (error) {
      this.#lose(error)
      return
    }
    this.#inDoubtUntilMs = Infinity
    this.#snapshotPosition = position
    this.#isKeptAsText = 'text' in snapshot
    this.#keptUntil = 'text' in snapshot ? 0 : position
    this.#events.onStateReplaced()
  }

  onEntry(position: number, text: string): void {
    if (this.#lost !== undefined) return
    const startedAtMs = performance.now()
    try {
      const { origin, number, atMs, from, after, command } = parseEntry(position, text)
      if (command.kind === 'raise_level') this.#checkLevel(command.level)
      reach('before apply')
      const { outcome, effects } = apply(this.#state, command, { position, atMs, from, after })
      reach('after apply')
      this.#entriesRead++
      // Reply after the entry came back from the log, never before: a log delivers only what is durable,
      // so a client that was told "done" finds its change even if the power fails now.
      if (origin === this.#origin) this.#settle(number, outcome)
      else this.#inDoubtUntilMs = Infinity
      this.#events.onApplied({ position, atMs, from, origin, command, outcome, effects })
      const tookMs = performance.now() - startedAtMs
      this.#pending.batches.onApplied(tookMs)
      this.#events.onTook?.(command, tookMs)
    } catch (error) {
      this.#lose(error)
    }
  }

  onLost(failure: Failure): void {
    this.#lose(failure)
  }

  /** Throws a `data` failure for rules that this program does not know: guessing would make trackers disagree. */
  #checkLevel(level: number): void {
    if (level <= this.#options.level) return
    throw new Failure(
      'data',
      `the trackers of this community are at level ${level}, and this one knows only ${this.#options.level}; update it`,
    )
  }

  #settle(number: number, outcome: Outcome): void {
    const pending = this.#pending.take(number)
    if (pending === undefined) return
    reach('before reply')
    pending.reply(outcome)
    reach('after reply')
  }

  /** All commands that arrive in one turn of the event loop share one append, and with it one commit. */
  #appendWhenTurnEnds(): void {
    if (this.#append !== undefined || this.#willAppend) return
    this.#willAppend = true
    setImmediate(() => {
      this.#willAppend = false
      if (this.#pending.hasCollected) this.#append ??= this.#appendCollected()
    })
  }

  /** One append at a time keeps commands in the order of their arrival; meanwhile the next batch collects. */
  async #appendCollected(): Promise<void> {
    const atMs = this.#options.nowMs()
    const position = this.#state.level < 2 ? undefined : this.position
    const { numbers, entries } = this.#pending.nextBatch({ origin: this.#origin, atMs, position })
    try {
      reach('before append')
      await this.#log.append(entries)
      reach('after append')
      // What was on its way before is in the log by now, or soon.
      this.#inDoubtUntilMs = Math.min(this.#inDoubtUntilMs, performance.now() + doubtMs)
      void this.#snapshotWhenDue()
    } catch (error) {
      this.#inDoubtUntilMs = Infinity
      this.#events.onTrouble(sentenceOf(error))
      // If such an entry turns up in the log after all, it is applied like any other: the client was told
      // "unavailable", not "no", and a retry with the same id gets its outcome.
      for (const number of numbers) this.#settle(number, cannotSave)
    }
    this.#append = undefined
    if (this.#pending.hasCollected) this.#appendWhenTurnEnds()
  }

  get #isSnapshotDue(): boolean {
    return this.#lost === undefined && this.position - this.#snapshotPosition >= this.#snapshotEvery
  }

  async #snapshotWhenDue(): Promise<void> {
    if (!this.#isSnapshotDue || this.#writing !== undefined) return
    this.#writing = this.#writeSnapshot().finally(() => (this.#writing = undefined))
    await this.#writing
  }

  async #writeSnapshot(): Promise<void> {
    const every = this.#snapshotEvery
    this.#snapshotPosition = this.position
    try {
      await this.#snapshot(every)
    } catch (error) {
      this.#events.onTrouble(sentenceOf(error))
      this.#retrySnapshotSoon(every)
    }
  }

  /** Neither at every append from now on, nor only when the log is twice as long. */
  #retrySnapshotSoon(every: number): void {
    this.#snapshotPosition -= Math.floor(every * (1 - retriedAfterShare))
  }

  /** NATS servers that were killed in turn have come back with what they had minutes before. */
  #isLossBelieved(): boolean {
    this.#lessKeptSinceMs ??= performance.now()
    return performance.now() - this.#lessKeptSinceMs >= this.#options.lossBelievedMs
  }

  get #snapshotEvery(): number {
    const usual = this.#state.level < 2 ? commandsPerLegacySnapshot : commandsPerSnapshot
    return this.#commandsPerSnapshot ?? usual
  }

  async #snapshot(every: number): Promise<void> {
    reach('before snapshot')
    const startedAtMs = performance.now()
    let taken: SnapshotToKeep | undefined
    await this.#log.saveSnapshot(({ position, ofSections }) => {
      // Another tracker may have been first; a few entries more are not worth another snapshot.
      const kept = this.#state.level < 2 ? position : ofSections
      if (kept > 0 && this.position - kept < every / 2) return undefined
      const isLess = this.#state.level > 1 && ofSections < this.#keptUntil
      if (!isLess) this.#lessKeptSinceMs = undefined
      // A server that was just elected may not know the newest yet, and changes before that one are forgotten here.
      if (isLess && !this.#isLossBelieved()) return undefined
      taken = isLess ? { ...this.#take(0), isWhole: true } : this.#take(ofSections)
      return taken
    })
    reach('after snapshot')
    if (taken === undefined) {
      if (this.#lessKeptSinceMs !== undefined) this.#retrySnapshotSoon(every)
      return
    }
    if ('changed' in taken) {
      this.#isKeptAsText = false
      this.#keptUntil = taken.position
    }
    for (const shelves of Object.values(this.#state.shelves)) shelves.forgetUntil(taken.position)
    this.#events.onSnapshotTaken?.(taken.position, performance.now() - startedAtMs)
  }

  #take(after: number): SnapshotToKeep {
    const { position } = this
    if (this.#state.level < 2)
      return { position, text: takeLegacySnapshot(this.#state, this.#options.wording) }
    return { position, changed: changedSections(this.#state, after) }
  }

  #lose(error: unknown): void {
    if (this.#lost !== undefined) return
    this.#lost = error instanceof Failure ? error : new Failure('data', sentenceOf(error), error)
    for (const { reply } of this.#pending.takeAll()) reply(cannotSave)
    this.#events.onLost(this.#lost)
  }
}
