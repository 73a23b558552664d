// Runs one line and presents its reply: the part of the prompt that scripts and people share. Also keeps the order:
// events that occur while a command runs are presented after its reply.

import { atMost } from '../../common/at-most.ts'
import type { Answer, Refusal } from '../../common/refusal.ts'
import { refusalOf } from '../answers.ts'
import type { ClientEvent } from '../operations.ts'
import type { Call } from './call.ts'
import { callOf } from './call.ts'
import type { Reply, Surroundings } from './commands/command.ts'
import { exitCodeFor, exitCodes } from './exit-codes.ts'
import type { Presenter } from './presenter.ts'
import { splitWords } from './text/words.ts'

/** A prompt that stays silent for longer feels broken; a slower reply is shown when it is ready. */
const patienceMs = 400

export class Conversation {
  /** Of the first command or download that failed; 0 when none has. */
  exitCode = 0
  /** Whether a command has begun a download, or gone on with one. */
  hasBegunDownload = false
  readonly #surroundings: Surroundings
  readonly #presenter: Presenter
  readonly #onBug: (error: unknown) => void
  /** Events held back until the running command replies; undefined while events are shown at once. */
  #held: ClientEvent[] | undefined
  /** How many commands run beside others. */
  #besides = 0

  constructor(surroundings: Surroundings, presenter: Presenter, onBug: (error: unknown) => void) {
    this.#surroundings = surroundings
    this.#presenter = presenter
    this.#onBug = onBug
  }

  /** Whether any command or download has failed. */
  get failed(): boolean {
    return this.exitCode !== 0
  }

  onEvent(event: ClientEvent): void {
    if (event.kind === 'download-failed') this.fail(exitCodes.refused)
    if (this.#held === undefined) this.#presenter.onEvents([event])
    else this.#held.push(event)
  }

  /** Runs a line until it ends or continues in the background. Resolves to true when it quits the prompt. */
  async run(line: string): Promise<boolean> {
    if (/^[ \t]*(#|$)/.test(line)) return false
    const words = splitWords(line)
    const call = words.ok ? callOf(words.value) : words
    if (!call.ok) {
      this.refuse(call.refusal, words.ok ? words.value[0] : undefined)
      return false
    }
    if (!call.value.command.waits) this.#held = []
    try {
      return await this.#runCall(call.value)
    } finally {
      this.#release()
    }
  }

  /** Runs it at once, while others run, and presents its reply after `before`. */
  async runBeside(call: Call, before: Promise<unknown>): Promise<void> {
    this.#held ??= []
    this.#besides++
    const answered = this.#answerOf(call)
    try {
      await Promise.allSettled([before, answered])
      await this.#reply(call, await answered)
    } finally {
      this.#release()
      if (--this.#besides > 0) this.#held = []
    }
  }

  /** Presents what happened while a command ran. */
  #release(): void {
    const events = this.#held ?? []
    this.#held = undefined
    this.#presenter.onEvents(events)
  }

  async #runCall(call: Call): Promise<boolean> {
    const answered = this.#answerOf(call)
    if (!this.#surroundings.terminal || !call.command.mayTakeLong) return this.#reply(call, await answered)
    const answer = await atMost(answered, patienceMs)
    if (answer !== undefined) return this.#reply(call, answer)
    const end = call.command.endedBy === undefined ? '' : `; to end it: ${call.command.endedBy(call.words)}`
    const text = `${call.command.name} ${call.words[0]} takes a while; its reply comes when it is done${end}`
    this.#presenter.say({ text, tone: 'faint' })
    answered.then((later) => this.#reply(call, later)).catch(this.#onBug)
    return false
  }

  /** Turns a failure, such as a lost tracker, into a refusal. Anything else that is thrown is a bug. */
  async #answerOf({ command, words, flags }: Call): Promise<Answer<Reply>> {
    try {
      const answer = await command.run(this.#surroundings, words, flags)
      if (answer.ok && command.begins === 'download') this.hasBegunDownload = true
      return answer
    } catch (error) {
      const refusal = refusalOf(error)
      if (refusal === undefined) throw error
      return refusal
    }
  }

  async #reply({ command }: Call, answer: Answer<Reply>): Promise<boolean> {
    if (!answer.ok) {
      this.refuse(answer.refusal, command.name)
      return false
    }
    await this.#presenter.onReply(command.name, answer.value)
    return answer.value.quits ?? false
  }

  /** Presents an error and counts it as a failure. */
  refuse(refusal: Refusal, command?: string): void {
    this.fail(exitCodeFor(refusal.code))
    this.#presenter.onRefusal(command, refusal)
  }

  /** The first failure decides with which code a script ends. */
  fail(exitCode: number): void {
    if (this.exitCode === 0) this.exitCode = exitCode
  }
}
