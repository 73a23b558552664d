// What a command of the prompt is: its words, its help, and what it does. How a line becomes a call of
// one is call.ts; the commands themselves are in commands/.

import type { Answer } from '../../common/refusal.ts'
import { accept } from '../../common/refusal.ts'
import type { Operations } from '../operations.ts'
import type { Line } from './line.ts'

/** What commands may use of the prompt they run in. */
export interface Surroundings {
  readonly operations: Operations
  /** A person sits there: hints help, questions can be asked, and a mistake can be typed again. */
  readonly terminal: boolean
  /** Asks without showing what is typed; undefined when the question was cancelled. */
  readonly askHidden: (question: string) => Promise<string | undefined>
  /** Resolves when no download runs (of this group), or when a person stops the waiting. */
  readonly settle: (group?: string) => Promise<void>
}

export interface Reply {
  readonly lines: readonly Line[]
  /** What one may do next; for a terminal only. */
  readonly hint?: string
  readonly quits?: boolean
}

export interface PromptCommand {
  readonly name: string
  readonly alias?: string
  /** The arguments in commander's notation: `<group> [password]`. */
  readonly words: string
  readonly summary: string
  readonly flags?: readonly { readonly flag: string; readonly summary: string }[]
  /** Events are printed while it runs, because it waits for them. Else they follow its reply. */
  readonly waits?: boolean
  /** In a terminal it goes on in the background when it takes long. */
  readonly mayTakeLong?: boolean
  /** Gets as many words as `words` says; optional ones that were left out are undefined. */
  run(surroundings: Surroundings, words: CallWords, flags: ReadonlySet<string>): Promise<Answer<Reply>>
}

/** The words of a call by position. commander has held them against the command's `words`. */
export type CallWords = readonly [string, string, string]

/** The command with its words, as a person has to type them. */
export function usageOf(command: PromptCommand): string {
  return `${command.name} ${command.words}`.trim()
}

/** A reply of one line. */
export function say(text: string, hint?: string): Answer<Reply> {
  return accept({ lines: [{ text }], hint })
}

/** One line when the answer is yes; the refusal as it is when it is no. */
export function sayIfDone(answer: Answer<unknown>, text: string, hint?: string): Answer<Reply> {
  return answer.ok ? say(text, hint) : answer
}

/** A line an entry, or a sentence when there are none. */
export function list(lines: readonly Line[], nothing: string, hint?: string): Answer<Reply> {
  return lines.length === 0 ? say(nothing) : accept({ lines, hint })
}
