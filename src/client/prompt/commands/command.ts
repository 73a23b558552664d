// Defines a command of the prompt: its words, its help, and its action. The commands themselves are in the files
// beside this one; `call.ts` of the prompt turns a line into a call of one.

import type { Answer } from '../../../common/refusal.ts'
import { accept } from '../../../common/refusal.ts'
import type { AwaitedDownloads, Operations } from '../../operations.ts'
import type { Line, ScreenSize } from '../../../common/terminal/line.ts'

/** Looks once more at what goes on; undefined when nothing is left to see. */
export type Look = (size: ScreenSize) => Promise<readonly Line[] | undefined>

/** How far something is that takes long, and the same as a sentence for a log. */
export interface Progress {
  readonly percent: number
  readonly sentence: string
}

/** How waiting has ended. */
export type Waited = 'settled' | 'late' | 'stopped'

/** What a prompt offers to its commands. */
export interface Surroundings {
  readonly operations: Operations
  /** A person is typing: hints help, questions can be asked, and mistakes can be corrected. */
  readonly terminal: boolean
  /** Columns of the terminal; undefined where there is none to draw on. */
  readonly columns: number | undefined
  /** Shows what `look` returns, again and again, until that is undefined or the person leaves; undefined in a pipe. */
  readonly showLive: ((look: Look) => Promise<void>) | undefined
  /**
   * Shows beside the prompt of a terminal what is read through, to be shared or verified, as long as that takes. `work`:
   * what reads; without it something may begin to read in a moment.
   */
  readonly showReading: (work?: Promise<unknown>) => void
  /** Says in a pipe how something gets on, apart from the replies. */
  readonly sayProgress: (sentence: string) => void
  /** Says there now and then how the work gets on, for as long as it takes; a terminal has bars for that. */
  readonly reportProgress: (work: Promise<unknown>, look: () => Promise<Progress | undefined>) => void
  /** With the prompt ends the client, and so its transfers. */
  readonly endsClient: boolean
  /** For a command that needs one which is not typed. */
  readonly password?: string | undefined
  /** Asks without echoing the answer; resolves to undefined when the question was cancelled. */
  readonly askHidden: (question: string) => Promise<string | undefined>
  /** Resolves when none of these downloads runs, their time is over, or the person stops waiting. */
  readonly settle: (which?: AwaitedDownloads) => Promise<Waited>
  /** Resolves when the person stops what goes on and on; never in a script, which is stopped as a whole. */
  readonly interrupted: () => Promise<void>
  /** Asks a question that is answered in the open; resolves to undefined when it was cancelled. */
  readonly ask?: ((question: string) => Promise<string | undefined>) | undefined
}

/** What a reply says, for programs. */
export type ReplyData = Readonly<Record<string, unknown>>

export interface Reply {
  readonly lines: readonly Line[]
  /** The same for programs: see docs/scripting.md. */
  readonly data: ReplyData
  /** Suggests what to do next; for a terminal only. */
  readonly hint?: string
  readonly quits?: boolean
  /** Empties the screen of a terminal. */
  readonly clears?: boolean
}

export interface PromptCommand {
  readonly name: string
  readonly alias?: string
  /** The arguments in commander's notation: `<group> [password]`. */
  readonly words: string
  readonly summary: string
  /** How it is typed, for the help; the words are made up. */
  readonly examples?: readonly string[]
  /** A flag may have a word behind it: `--invite <code>`. */
  readonly flags?: readonly { readonly flag: string; readonly summary: string }[]
  /** The first of its words, from 0, that may be a password: it and those behind it are not remembered. */
  readonly secretsFrom?: number
  /**
   * In a script it may run while others of its kind do, unless they are about the same, which this tells. Undefined for one
   * that may not.
   */
  readonly besideOthers?: (words: CallWords) => string
  /** Events are printed while it runs, because it waits for them. Otherwise they follow its reply. */
  readonly waits?: boolean
  /** A script waits in the end for what it begins. */
  readonly begins?: 'download'
  /** In a terminal, it continues in the background when it takes long. */
  readonly mayTakeLong?: boolean
  /** What is typed to end it then. */
  readonly endedBy?: (words: CallWords) => string
  /** Receives as many words as `words` declares; omitted optional ones are undefined. */
  run(surroundings: Surroundings, words: CallWords, flags: CallFlags): Promise<Answer<Reply>>
}

/** The words of a call by position. commander has checked them against the command's `words`. */
export type CallWords = readonly [string, string, string]

/** The flags that were given, and the word behind each that has one. */
export type CallFlags = ReadonlyMap<string, string>

/** The command with its words, as a person types them. */
export function usageOf(command: PromptCommand): string {
  return `${command.name} ${command.words}`.trim()
}

/** With its flags. */
export function fullUsageOf(command: PromptCommand): string {
  return [usageOf(command), ...(command.flags ?? []).map(({ flag }) => `[${flag}]`)].join(' ')
}

/** A reply of one line. */
export function say(text: string, hint?: string): Answer<Reply> {
  return accept({ lines: [{ text }], hint, data: {} })
}

/** Replies with one line to a positive answer; passes a refusal on. */
export function sayIfDone(answer: Answer<unknown>, text: string, hint?: string): Answer<Reply> {
  return answer.ok ? say(text, hint) : answer
}

/** Adds to a positive answer what it says to programs; passes a refusal on. */
export function withData(answer: Answer<Reply>, data: ReplyData): Answer<Reply> {
  return answer.ok ? accept({ ...answer.value, data }) : answer
}

/** One line per entry, or a sentence when there are none. */
export function list(lines: readonly Line[], nothing: string, hint?: string): Answer<Reply> {
  return lines.length === 0 ? say(nothing) : accept({ lines, hint, data: {} })
}
