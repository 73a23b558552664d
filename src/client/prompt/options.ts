// What a prompt is run with, and how it ends.

import type { Readable, Writable } from 'node:stream'
import type { ClientEvent, Operations } from '../operations.ts'
import type { ScriptLines } from './piped.ts'

/** What a script is made of, and how it runs. */
export interface ScriptOptions {
  /** Its lines, if they do not come from the input. */
  readonly lines?: ScriptLines | undefined
  /** Where refusals go, if not to the output. */
  readonly errors?: Writable | undefined
  /** Presents replies and events as JSON. */
  readonly isJson?: boolean
  readonly stopsAtError?: boolean
  /** Waits for all downloads in the end, not only if the script began one; the default. */
  readonly settlesAll?: boolean
}

export interface PromptOptions {
  readonly operations: Operations
  /** Called once, at the start; the listener receives every event from then on. */
  readonly subscribe: (listener: (event: ClientEvent) => void) => unknown
  readonly input: Readable
  readonly output: Writable
  /** Input and output are a terminal, where a person types. */
  readonly isTerminal: boolean
  /** The terminal knows no control sequences: it only prints what it gets. */
  readonly isDumb?: boolean
  /** Calls back on Ctrl-C, which a dumb terminal turns into a signal, until the result is called. */
  readonly onInterrupt?: ((listener: () => void) => () => void) | undefined
  readonly script?: ScriptOptions
  /** For commands that need one which is not typed. */
  readonly password?: string | undefined
  /** Keeps seeding after the end of piped input, until `stop`. */
  readonly linger: boolean
  /** Where to remember what a person typed; undefined for nowhere. */
  readonly historyFile?: string | undefined
  /** Where a script says how something gets on; undefined for nowhere. */
  readonly progress?: Writable | undefined
  /** The client ends with the prompt; the default. */
  readonly endsClient?: boolean
  /** Lines for a person, before the first prompt. */
  readonly greeting?: readonly string[]
  /** What is said of the trackers, to a person, as it is found out; it never keeps the prompt waiting. */
  readonly contact?: AsyncIterable<string>
  /** Called when all input has been run and the prompt only lingers. */
  readonly onLingering?: () => void
  /** Ends the prompt at once. */
  readonly stop?: AbortSignal
}

/** How a prompt ends without a command: it is stopped, or a bug occurs. */
export interface Endings {
  readonly stopped: Promise<void>
  readonly stop: () => void
  readonly bug: Promise<never>
  readonly onBug: (error: unknown) => void
}
