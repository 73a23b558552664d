// Runs the prompt of a script or of a person: takes input, output and operations, and returns an exit code.

import type { Readable, Writable } from 'node:stream'
import chalk, { Chalk } from 'chalk'
import { systemCode } from '../../common/failure.ts'
import type { ClientEvent, Operations } from '../operations.ts'
import { Conversation } from './conversation.ts'
import { plainLine } from './text/line.ts'
import { runPiped, settleOrGiveUp } from './piped.ts'
import { Terminal } from './terminal.ts'

export interface PromptOptions {
  readonly operations: Operations
  /** Called once, at the start; the listener receives every event from then on. */
  readonly subscribe: (listener: (event: ClientEvent) => void) => unknown
  readonly input: Readable
  readonly output: Writable
  /** Input and output are a terminal, where a person types. */
  readonly isTerminal: boolean
  /** Keeps seeding after the end of piped input, until `stop`. */
  readonly linger: boolean
  /** A script waits for all downloads in the end, not only if it began one. */
  readonly settlesAll?: boolean
  /** A line for a person, before the first prompt. */
  readonly greeting?: string
  /** Called when all input has been run and the prompt only lingers. */
  readonly onLingering?: () => void
  /** Ends the prompt at once. */
  readonly stop?: AbortSignal
}

/** How a prompt ends without a command: it is stopped, or a bug occurs. */
interface Endings {
  readonly stopped: Promise<void>
  readonly stop: () => void
  readonly bug: Promise<never>
  readonly onBug: (error: unknown) => void
}

/**
 * Runs the prompt until it is quit, its input ends, or it is stopped; resolves to the exit code. Rejects for
 * bugs only. The caller closes the operations.
 */
export async function runPrompt(options: PromptOptions): Promise<number> {
  const endings = makeEndings(options.stop)
  let outputLost = false
  // The reader may be gone (`| head`), the terminal closed, or the disk full: nobody is left to tell. The
  // listener stays, because writes during the shutdown fail the same way.
  options.output.on('error', (error) => {
    if (systemCode(error) === undefined) endings.onBug(error)
    outputLost = true
    endings.stop()
  })
  if (options.isTerminal) {
    await runInTerminal(options, endings)
    return outputLost ? 1 : 0
  }
  return (await runScript(options, endings)) && !outputLost ? 0 : 1
}

/** Resolves to true when no command and no download failed. */
async function runScript(options: PromptOptions, endings: Endings): Promise<boolean> {
  const { operations, input, output, subscribe } = options
  const linger = options.linger ? (options.onLingering ?? (() => {})) : undefined
  let open = true
  const conversation = new Conversation(
    {
      operations,
      terminal: false,
      askHidden: () => Promise.resolve(undefined),
      settle: (group) => settleOrGiveUp(operations, group),
    },
    {
      show(lines) {
        if (open && lines.length > 0) output.write(lines.map((line) => `${plainLine(line)}\n`).join(''))
      },
    },
    endings.onBug,
  )
  subscribe((event) => conversation.onEvent(event))
  const { settlesAll = true } = options
  const script = { conversation, operations, linger, settlesAll, stopped: endings.stopped }
  const finished = runPiped(input, script)
  await Promise.race([finished, endings.stopped, endings.bug])
  open = false
  return !conversation.failed
}

async function runInTerminal(options: PromptOptions, endings: Endings): Promise<void> {
  const { operations, input, output, subscribe } = options
  const colours = process.env['NO_COLOR'] ? new Chalk({ level: 0 }) : chalk
  const promptText = (): string => `${colours.bold(plainLine({ text: operations.whoami() ?? 'coterie' }))}> `
  const terminal = new Terminal(input, output, colours, promptText, endings.stop)
  const conversation = new Conversation(
    {
      operations,
      terminal: true,
      askHidden: (question) => terminal.askHidden(question),
      settle: (group) => terminal.untilInterrupted(operations.downloadsSettled(group)),
    },
    terminal,
    endings.onBug,
  )
  subscribe((event) => {
    if (event.kind === 'user-changed') terminal.renew()
    conversation.onEvent(event)
  })
  if (options.greeting !== undefined) terminal.show([{ text: options.greeting, tone: 'faint' }])
  const runLines = async (): Promise<void> => {
    for await (const line of terminal.lines()) if (await conversation.run(line)) return
  }
  try {
    await Promise.race([runLines(), endings.stopped, endings.bug])
  } finally {
    // Also after a bug: a terminal left in raw mode is unusable.
    terminal.close()
  }
}

function makeEndings(signal: AbortSignal | undefined): Endings {
  let stop = (): void => {}
  let onBug = (_error: unknown): void => {}
  const stopped = new Promise<void>((resolve) => (stop = resolve))
  const bug = new Promise<never>((_resolve, reject) => (onBug = reject))
  if (signal?.aborted) stop()
  signal?.addEventListener('abort', stop, { once: true })
  return { stopped, stop, bug, onBug }
}
