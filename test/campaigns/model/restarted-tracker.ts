// The core of a tracker, which is the state and the way of a command into it, over a real log. It ends and starts again
// from what the log has, as often as one likes.

import { sentenceOf } from '../../../src/common/failure.ts'
import type { CommandLog, Kept, LogFollower, SnapshotToKeep } from '../../../src/tracker/log/command-log.ts'
import { MemoryLog } from '../../../src/tracker/log/memory-log.ts'
import { SqliteLog } from '../../../src/tracker/log/sqlite-log.ts'
import { wordsOf } from '../../../src/tracker/requests/sentences.ts'
import { Sequencer, type AppliedEntry, type SequencerEvents } from '../../../src/tracker/sequencer.ts'
import type { Command } from '../../../src/tracker/state/commands.ts'
import type { State } from '../../../src/tracker/state/state.ts'

/** Opens the same log again, when the tracker that had it open has ended. */
export type OpenLog = () => CommandLog

export function logInMemory(): OpenLog {
  const log = new MemoryLog()
  return () => new OpenedLog(log)
}

/** Nothing is kept behind a snapshot, so that a start needs it. */
export function logInFile(path: string): OpenLog {
  return () => new SqliteLog(path, 0)
}

/** For a campaign that has to notice: at each start the newest entry is gone, as if it had not been flushed. */
export function losingNewest(open: OpenLog): OpenLog {
  return () => new OpenedLog(open(), true)
}

export class RestartedTracker {
  readonly #open: OpenLog
  readonly #commandsPerSnapshot: number
  #log: CommandLog | undefined
  #sequencer: Sequencer | undefined
  #last: AppliedEntry | undefined
  /** Starts that began with a snapshot. */
  startsFromSnapshot = 0

  constructor(open: OpenLog, commandsPerSnapshot: number) {
    this.#open = open
    this.#commandsPerSnapshot = commandsPerSnapshot
  }

  get state(): State {
    return this.#running.state
  }

  async start(): Promise<void> {
    const fail = (trouble: unknown): never => {
      throw new Error(sentenceOf(trouble))
    }
    const events: SequencerEvents = {
      onApplied: (entry) => (this.#last = entry),
      onStateReplaced: () => this.startsFromSnapshot++,
      onTrouble: fail,
      onLost: fail,
    }
    this.#log = this.#open()
    // The clock stands still, so that a seed gives the same run.
    const options = { commandsPerSnapshot: this.#commandsPerSnapshot, wording: wordsOf, nowMs: () => 0 }
    this.#sequencer = new Sequencer(this.#log, events, options)
    await this.#sequencer.start()
  }

  /** Puts the command into the log, and returns what came of it. */
  async do(command: Command): Promise<AppliedEntry> {
    const outcome = await this.#running.submit(command)
    if (this.#last?.outcome !== outcome) throw new Error(`${command.kind} did not come out of the log`)
    return this.#last
  }

  async stop(): Promise<void> {
    await this.#sequencer?.stop()
    await this.#log?.close()
    this.#sequencer = undefined
    this.#log = undefined
  }

  async restart(): Promise<void> {
    await this.stop()
    await this.start()
  }

  get #running(): Sequencer {
    if (this.#sequencer === undefined) throw new Error('the tracker is not running')
    return this.#sequencer
  }
}

/** A log as one process has it open: it may stay open for others, but tells a process that has ended nothing more. */
class OpenedLog implements CommandLog {
  readonly isCurrent = true
  readonly #log: CommandLog
  readonly #losesNewest: boolean
  #isOpen = true

  constructor(log: CommandLog, losesNewest = false) {
    this.#log = log
    this.#losesNewest = losesNewest
  }

  async follow(follower: LogFollower): Promise<void> {
    let isStarting = true
    let newest: Parameters<LogFollower['onEntry']> | undefined
    await this.#log.follow({
      onSnapshot: (snapshot) => this.#isOpen && follower.onSnapshot(snapshot),
      onEntry: (position, text) => {
        if (!this.#isOpen) return
        if (!this.#losesNewest || !isStarting) return follower.onEntry(position, text)
        if (newest !== undefined) follower.onEntry(...newest)
        newest = [position, text]
      },
      onLost: (failure) => follower.onLost(failure),
    })
    isStarting = false
  }

  append(entries: readonly string[]): Promise<void> {
    return this.#log.append(entries)
  }

  sync(): Promise<void> | undefined {
    return this.#log.sync()
  }

  saveSnapshot(take: (kept: Kept) => SnapshotToKeep | undefined): Promise<void> {
    return this.#log.saveSnapshot(take)
  }

  /** A log in memory is gone when it is closed, so it is only let go. */
  async close(): Promise<void> {
    this.#isOpen = false
    if (!(this.#log instanceof MemoryLog)) await this.#log.close()
  }
}
