// Plays random stories at a tracker that is restarted in between, and at the plain model, and compares them: each
// answer, and all facts after each restart. The same seed gives the same run.

import fc from 'fast-check'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { sentenceOf } from '../../../src/common/failure.ts'
import type { Command } from '../../../src/tracker/state/commands.ts'
import { digestOf } from '../../../src/tracker/state/sections.ts'
import type { State } from '../../../src/tracker/state/state.ts'
import { codeOf, factsOf, factsOfModel, miscountsOf } from '../../tracker/state/facts.ts'
import { PlainModel } from '../../tracker/state/plain-model.ts'
import { anyWish, beginnings } from '../../tracker/state/wishes.ts'
import type { ModelWish } from '../../tracker/state/world.ts'
import { logInFile, logInMemory, losingNewest, RestartedTracker, type OpenLog } from './restarted-tracker.ts'

const commandsPerRun = 50
/** Of so many runs one has its log in a SQLite file, where each commit waits for the disk. */
const fileOneOf = 20
/** Of so many runs one goes by the rules of version 0.1. Both kinds of log meet both kinds of rules. */
const level1OneOf = 7

const anyRun = fc.record({
  /** Begins where most of the world exists, so that less is refused. */
  isBegun: fc.constantFrom(true, true, true, false),
  wishes: fc.array(anyWish, { minLength: commandsPerRun, maxLength: commandsPerRun }),
  /** After each command: restarts at 0. */
  restarts: fc.array(fc.nat({ max: 7 }), { minLength: commandsPerRun, maxLength: commandsPerRun }),
  commandsPerSnapshot: fc.integer({ min: 1, max: 40 }),
})

export interface ModelFigures {
  runs: number
  /** With the log in a SQLite file. */
  inFiles: number
  atLevel1: number
  commands: number
  /** Of them, those that were not refused. */
  done: number
  restarts: number
  fromSnapshot: number
  /** Commands that were asked for again, under the same id, after a restart. */
  repeated: number
  /** One sentence for each run that differs. */
  readonly divergences: string[]
}

export function noModelFigures(): ModelFigures {
  return {
    runs: 0,
    inFiles: 0,
    atLevel1: 0,
    commands: 0,
    done: 0,
    restarts: 0,
    fromSnapshot: 0,
    repeated: 0,
    divergences: [],
  }
}

/** Plays runs with the seeds from `seed` on; `plant`: with a log that loses something, which has to be found. */
export async function playRuns(seed: number, runs: number, plant = false): Promise<ModelFigures> {
  const figures = noModelFigures()
  for (let run = seed; run < seed + runs; run++) {
    try {
      const play = (open: OpenLog): Promise<void> => playRun(figures, run, plant ? losingNewest(open) : open)
      if (run % fileOneOf === 0) await inFolder((folder) => play(logInFile(join(folder, 'log.sqlite'))))
      else await play(logInMemory())
    } catch (error) {
      figures.divergences.push(`seed ${run}: ${sentenceOf(error)}`)
    }
    figures.runs++
    if (run % fileOneOf === 0) figures.inFiles++
  }
  return figures
}

/** Throws at the first difference, with a sentence. */
async function playRun(figures: ModelFigures, seed: number, open: OpenLog): Promise<void> {
  const [run] = fc.sample(anyRun, { seed, numRuns: 1 })
  if (run === undefined) throw new Error('there is no such run')
  const level = seed % level1OneOf === 0 ? 1 : 2
  if (level === 1) figures.atLevel1++
  const tracker = new RestartedTracker(open, run.commandsPerSnapshot)
  await tracker.start()
  const play = new Play(figures, tracker, level)
  try {
    await play.begin()
    if (run.isBegun) for (const wish of beginnings) await play.do(wish)
    for (const [at, wish] of run.wishes.entries()) {
      await play.do(wish)
      if (run.restarts[at] === 0) await play.restart()
    }
    await play.restart()
    play.compareCounts()
  } finally {
    figures.fromSnapshot += tracker.startsFromSnapshot
    await tracker.stop()
  }
}

/** One story, at the tracker and at the model. */
class Play {
  readonly #figures: ModelFigures
  readonly #tracker: RestartedTracker
  readonly #level: number
  readonly #model: PlainModel
  #commands = 0
  /** With the code of its answer. */
  #last: { readonly command: Command; readonly code: string } | undefined

  constructor(figures: ModelFigures, tracker: RestartedTracker, level: number) {
    this.#figures = figures
    this.#tracker = tracker
    this.#level = level
    this.#model = new PlainModel(level)
  }

  async begin(): Promise<void> {
    await this.#tracker.do({ kind: 'tracker_started', key: 'k', cluster: 'c', secret: 's', level: 2 })
    if (this.#level > 1) await this.#tracker.do({ kind: 'raise_level', level: this.#level })
  }

  async do(wish: ModelWish): Promise<void> {
    const command = asked(this.#tracker.state, `id-${this.#commands}`, wish)
    const { outcome } = await this.#tracker.do(command)
    this.#figures.commands++
    if (outcome.ok) this.#figures.done++
    this.#commands++
    const code = codeOf(outcome)
    this.#last = { command, code }
    this.#compare('the answer', code, this.#model.do(wish))
  }

  /** What is there afterwards is what was there before, and what the model has. */
  async restart(): Promise<void> {
    const before = digestOf(this.#tracker.state)
    await this.#tracker.restart()
    this.#figures.restarts++
    this.#compareFacts()
    this.#compare('the digest after a restart', digestOf(this.#tracker.state), before)
    await this.#repeat()
  }

  compareCounts(): void {
    this.#compare('the counts', miscountsOf(this.#tracker.state), [])
  }

  /** A client that lost its answer asks again: it gets the same one, and nothing happens twice. */
  async #repeat(): Promise<void> {
    const last = this.#last
    // What an operator does is never asked for again.
    if (last === undefined || isOfOperator(last.command)) return
    const { outcome, effects } = await this.#tracker.do(last.command)
    this.#figures.repeated++
    this.#compare('the answer to a repeated command', codeOf(outcome), last.code)
    this.#compare('the effects of a repeated command', effects, [])
    this.#compareFacts()
  }

  #compareFacts(): void {
    this.#compare('what is there', factsOf(this.#tracker.state), factsOfModel(this.#model))
  }

  #compare(what: string, is: unknown, should: unknown): void {
    if (isDeepStrictEqual(is, should)) return
    const { kind = 'the beginning' } = this.#last?.command ?? {}
    throw new Error(
      `${what} after command ${this.#commands}, ${kind}, is ${JSON.stringify(is)}, not ${JSON.stringify(should)}`,
    )
  }
}

/** With the login that it is asked for with, as a tracker writes it down. */
function asked({ level, accounts }: State, id: string, wish: ModelWish): Command {
  const account = level > 1 && 'by' in wish ? accounts.get(wish.by) : undefined
  const login = account === undefined ? {} : { account: account.id, epoch: account.epoch }
  return { id, ...wish, ...login } as Command
}

function isOfOperator({ kind }: Command): boolean {
  return (
    kind === 'set_registration' || kind === 'add_invite' || kind === 'issue_reset' || kind === 'remove_user'
  )
}

async function inFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'coterie-model-'))
  try {
    return await use(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
