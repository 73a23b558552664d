// Runs one line and shows its reply: the part of the prompt that scripts and people share. Also keeps the
// order: events that occur while a command runs are shown after its reply.

import { Failure, sentenceOf, systemCode } from '../../common/failure.ts'
import type { Answer } from '../../common/refusal.ts'
import { refuse } from '../../common/refusal.ts'
import type { ClientEvent } from '../operations.ts'
import type { Call } from './call.ts'
import { callOf } from './call.ts'
import type { Reply, Surroundings } from './commands/command.ts'
import type { Line, Screen } from './text/line.ts'
import { errorLine } from './text/line.ts'
import { eventLine } from './commands/replies.ts'
import { splitWords } from './text/words.ts'

/** A prompt that stays silent for longer feels broken; a slower reply is shown when it is ready. */
const patienceMs = 400

export class Conversation {
  /** Whether any command or download has failed. */
  failed = false
  /** Whether a command has begun a download, or gone on with one. */
  hasBegunDownload = false
  readonly #surroundings: Surroundings
  readonly #screen: Screen
  readonly #onBug: (error: unknown) => void
  /** Event lines held back until the running command replies; undefined while events are shown at once. */
  #held: Line[] | undefined

  constructor(surroundings: Surroundings, screen: Screen, onBug: (error: unknown) => void) {
    this.#surroundings = surroundings
    this.#screen = screen
    this.#onBug = onBug
  }

  onEvent(event: ClientEvent): void {
    if (event.kind === 'download-failed') this.failed = true
    const line = eventLine(event)
    if (line === undefined) return
    if (this.#held === undefined) this.#screen.show([line])
    else this.#held.push(line)
  }

  /** Runs a line until it ends or continues in the background. Resolves to true when it quits the prompt. */
  async run(line: string): Promise<boolean> {
    if (/^[ \t]*(#|$)/.test(line)) return false
    const words = splitWords(line)
    const call = words.ok ? callOf(words.value) : words
    if (!call.ok) return this.#reply(call)
    if (!call.value.command.waits) this.#held = []
    try {
      return await this.#runCall(call.value)
    } finally {
      const lines = this.#held ?? []
      this.#held = undefined
      this.#screen.show(lines)
    }
  }

  async #runCall(call: Call): Promise<boolean> {
    const answered = this.#answerOf(call)
    if (!this.#surroundings.terminal || !call.command.mayTakeLong) return this.#reply(await answered)
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), patienceMs)
    })
    const answer = await Promise.race([answered, late])
    clearTimeout(timer)
    if (answer !== undefined) return this.#reply(answer)
    const text = `${call.command.name} ${call.words[0]} takes a while; its reply comes when it is done`
    this.#screen.show([{ text, tone: 'faint' }])
    answered.then((later) => this.#reply(later)).catch(this.#onBug)
    return false
  }

  /** Turns a failure, such as a lost tracker, into a refusal. Anything else that is thrown is a bug. */
  async #answerOf({ command, words, flags }: Call): Promise<Answer<Reply>> {
    try {
      const answer = await command.run(this.#surroundings, words, flags)
      if (answer.ok && command.begins === 'download') this.hasBegunDownload = true
      return answer
    } catch (error) {
      // A system error is no bug either, although a better-worded failure should have replaced it.
      if (error instanceof Failure || systemCode(error) !== undefined)
        return refuse('unavailable', sentenceOf(error))
      throw error
    }
  }

  #reply(answer: Answer<Reply>): boolean {
    if (!answer.ok) {
      this.refuse(answer.refusal.sentence)
      return false
    }
    const { lines, hint, quits } = answer.value
    const hints: Line[] =
      hint === undefined || !this.#surroundings.terminal ? [] : [{ text: hint, tone: 'faint' }]
    this.#screen.show([...lines, ...hints])
    return quits ?? false
  }

  /** Shows an error and counts it as a failure. */
  refuse(sentence: string): void {
    this.failed = true
    this.#screen.show([errorLine(sentence)])
  }
}
