// Runs the prompt of a script or of a person: takes input, output and operations, and returns an exit code.

import type { Readable, Writable } from 'node:stream'
import chalk, { Chalk } from 'chalk'
import { systemCode } from '../../common/failure.ts'
import { refusalOf } from '../answers.ts'
import type { ClientEvent, Operations } from '../operations.ts'
import type { Surroundings } from './commands/command.ts'
import { downloadsLook } from './commands/progress.ts'
import { stillFetching } from './commands/seeing.ts'
import { complete } from './completion.ts'
import { Conversation } from './conversation.ts'
import { firstWords } from './first-words.ts'
import { History } from '../../common/terminal/history.ts'
import { inputLines } from './input-lines.ts'
import { showLive } from './live-view.ts'
import { runPiped, settleOrGiveUp, type ScriptLines } from './piped.ts'
import { KnownNames } from './known-names.ts'
import { JsonPresenter, LinePresenter, type Presenter } from './presenter.ts'
import { plainLine, type Line, type Screen } from '../../common/terminal/line.ts'
import { splitWords } from './text/words.ts'
import { ReadingBars } from './reading-bars.ts'
import { reportProgress } from './report-progress.ts'
import { rememberable } from './rememberable.ts'
import { sayingWhenSlow } from './slow-answers.ts'
import { Terminal } from '../../common/terminal/terminal.ts'

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
  /** A line for a person, before the first prompt. */
  readonly greeting?: string
  /** What is said of the trackers, to a person, as it is found out; it never keeps the prompt waiting. */
  readonly contact?: AsyncIterable<string>
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
  const code = await runScript(options, endings)
  return outputLost ? code || 1 : code
}

/** Resolves to the exit code. */
async function runScript(options: PromptOptions, endings: Endings): Promise<number> {
  const { operations, input, output, subscribe, script = {} } = options
  const { lines = inputLines(input), stopsAtError = false, settlesAll = true } = script
  const linger = options.linger ? (options.onLingering ?? (() => {})) : undefined
  let open = true
  const sayProgress = (text: string): void =>
    void (open && options.progress?.write(`${plainLine({ text })}\n`))
  const report: Surroundings['reportProgress'] = (work, look) => {
    // Programs that read JSON can ask, or watch.
    if (script.isJson === true) return
    reportProgress(work, look, sayProgress).catch((error: unknown) => {
      // A client that is gone says so in its answer.
      if (refusalOf(error) === undefined) endings.onBug(error)
    })
  }
  const conversation = new Conversation(
    {
      operations,
      terminal: false,
      columns: undefined,
      showLive: undefined,
      showReading: () => undefined,
      sayProgress,
      reportProgress: report,
      endsClient: options.endsClient ?? true,
      password: options.password,
      askHidden: () => Promise.resolve(undefined),
      settle: async (which) => ((await settleOrGiveUp(operations, which)) ? 'settled' : 'late'),
      interrupted: () => new Promise(() => undefined),
    },
    presenterOf(output, script, () => open),
    endings.onBug,
  )
  subscribe((event) => conversation.onEvent(event))
  const { stopped } = endings
  const finished = runPiped({
    lines,
    conversation,
    operations,
    linger,
    stopsAtError,
    settlesAll,
    report: (settled) =>
      report(
        settled,
        downloadsLook(() => operations.showDownloads()),
      ),
    stopped,
  })
  await Promise.race([finished, stopped, endings.bug])
  open = false
  return conversation.exitCode
}

/** Shows nothing any more when it is no longer open. */
function presenterOf(
  output: Writable,
  { isJson = false, errors = output }: ScriptOptions,
  isOpen: () => boolean,
): Presenter {
  if (isJson) return new JsonPresenter((text) => isOpen() && output.write(text))
  const screenOf = (to: Writable): Screen => ({
    show(lines) {
      if (isOpen() && lines.length > 0) to.write(lines.map((line) => `${plainLine(line)}\n`).join(''))
    },
  })
  return new LinePresenter(screenOf(output), { hasHints: false, errors: screenOf(errors) })
}

async function runInTerminal(options: PromptOptions, endings: Endings): Promise<void> {
  const { operations, input, output, subscribe } = options
  const colours = process.env['NO_COLOR'] ? new Chalk({ level: 0 }) : chalk
  const promptText = (): string => `${colours.bold(plainLine({ text: operations.whoami() ?? 'coterie' }))}> `
  let isOpen = true
  const history = new History(rememberable, options.historyFile)
  const known = new KnownNames(operations)
  // Without a tracker nothing is learnt, and a client that is gone says so in its answer.
  const onTrouble = (error: unknown): void => {
    if (refusalOf(error) === undefined) endings.onBug(error)
  }
  const terminal = new Terminal({
    input,
    output,
    chalk: colours,
    promptText,
    history,
    onQuit: endings.stop,
    complete(line) {
      const words = splitWords(line)
      known.refresh(words.ok ? words.value : []).catch(onTrouble)
      return complete(line, known)
    },
  })
  const bars = new ReadingBars(terminal, operations)
  const showReading = (work?: Promise<unknown>): void => void bars.begin(work).catch(onTrouble)
  const conversation = new Conversation(
    {
      operations: sayingWhenSlow(operations, (text) => terminal.show([{ text, tone: 'faint' }])),
      terminal: true,
      get columns() {
        return terminal.size.columns
      },
      showLive: (look) => showLive(terminal, look),
      showReading,
      sayProgress: () => undefined,
      reportProgress: () => undefined,
      endsClient: options.endsClient ?? true,
      ask: (question) => terminal.ask(question),
      password: options.password,
      askHidden: (question) => terminal.askHidden(question),
      settle: async (which) => {
        const isSettled = await terminal.untilInterrupted(operations.downloadsSettled(which))
        return isSettled === undefined ? 'stopped' : isSettled ? 'settled' : 'late'
      },
      interrupted: () => terminal.untilInterrupted(new Promise<void>(() => undefined)),
    },
    new LinePresenter(terminal, { hasHints: true }),
    endings.onBug,
  )
  subscribe((event) => {
    known.onEvent(event)
    if (event.kind === 'user-changed') terminal.renew()
    conversation.onEvent(event)
  })
  if (options.greeting !== undefined) terminal.show([{ text: options.greeting, tone: 'faint' }])
  firstWords({ ...options, showReading }, (line) => isOpen && terminal.show([line])).catch(endings.onBug)
  const runLines = async (): Promise<void> => {
    for await (const line of terminal.lines()) if (await conversation.run(line)) return
    if (options.endsClient !== false) terminal.show(await lastWords(operations))
  }
  try {
    await Promise.race([runLines(), endings.stopped, endings.bug])
  } finally {
    isOpen = false
    // Also after a bug: a terminal left in raw mode is unusable.
    terminal.close()
  }
}

/** What the end of the input interrupts. */
async function lastWords(operations: Operations): Promise<Line[]> {
  const running = (await operations.showDownloads()).filter(({ state }) => state === 'running').length
  const fetching = await stillFetching(operations)
  return [
    ...(running === 0 ? [] : [{ text: `${running} downloads stop here; they go on at your next login` }]),
    ...(fetching === undefined ? [] : [{ text: fetching }]),
  ]
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
