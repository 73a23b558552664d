// The prompt of a person at a terminal: at one that is drawn on, or at a dumb one, which only takes lines and prints them.

import { counted } from '../../common/counted.ts'
import { colours } from '../../common/terminal/colours.ts'
import { DumbTerminal } from '../../common/terminal/dumb-terminal.ts'
import { History } from '../../common/terminal/history.ts'
import { plainLine, type Line } from '../../common/terminal/line.ts'
import { Terminal, type TerminalOptions } from '../../common/terminal/terminal.ts'
import { refusalOf } from '../answers.ts'
import type { Operations } from '../operations.ts'
import type { Surroundings } from './commands/command.ts'
import { stillFetching } from './commands/seeing.ts'
import { complete } from './completion.ts'
import { Conversation } from './conversation.ts'
import { KnownNames } from './known-names.ts'
import { firstWords } from './first-words.ts'
import { showLive } from './live-view.ts'
import type { Endings, PromptOptions } from './options.ts'
import { LinePresenter } from './presenter.ts'
import { ReadingBars } from './reading-bars.ts'
import { rememberable } from './rememberable.ts'
import { reportProgress } from './report-progress.ts'
import { sayingWhenSlow } from './slow-answers.ts'
import { splitWords } from './text/words.ts'

/** What it shows of something that goes on. */
type Looks = Pick<Surroundings, 'showLive' | 'showReading' | 'sayProgress' | 'reportProgress'>

/** Runs until the person quits, the input ends, or it is stopped. Rejects for bugs only. */
export async function runAtTerminal(options: PromptOptions, endings: Endings): Promise<void> {
  // Without a tracker nothing is learnt, and a client that is gone says so in its answer.
  const onTrouble = (error: unknown): void => {
    if (refusalOf(error) === undefined) endings.onBug(error)
  }
  if (options.isDumb === true) {
    const terminal = openDumb(options, endings)
    const say = (text: string): void => terminal.show([{ text, tone: 'faint', hanging: 4 }])
    return converse(options, endings, terminal, {
      showLive: undefined,
      showReading: () => undefined,
      sayProgress: say,
      reportProgress: (work, look) => void reportProgress(work, look, say).catch(onTrouble),
    })
  }
  const known = new KnownNames(options.operations)
  const terminal = open(options, endings, (line) => {
    const words = splitWords(line)
    known.refresh(words.ok ? words.value : []).catch(onTrouble)
    return complete(line, known)
  })
  const subscribe: PromptOptions['subscribe'] = (listener) =>
    options.subscribe((event) => {
      known.onEvent(event)
      listener(event)
    })
  const bars = new ReadingBars(terminal, options.operations)
  return converse({ ...options, subscribe }, endings, terminal, {
    showLive: (look) => showLive(terminal, look),
    showReading: (work) => void bars.begin(work).catch(onTrouble),
    sayProgress: () => undefined,
    reportProgress: () => undefined,
  })
}

function promptText(operations: Operations): string {
  return plainLine({ text: operations.whoami() ?? 'coterie' })
}

function open(
  { operations, input, output, historyFile }: PromptOptions,
  { stop }: Endings,
  complete: TerminalOptions['complete'],
): Terminal {
  const chalk = colours()
  return new Terminal({
    input,
    output,
    chalk,
    promptText: () => `${chalk.bold(promptText(operations))}> `,
    history: new History(rememberable, historyFile),
    onQuit: stop,
    complete,
  })
}

function openDumb(
  { operations, input, output, onInterrupt }: PromptOptions,
  { stop }: Endings,
): DumbTerminal {
  return new DumbTerminal({
    input,
    output,
    promptText: () => `${promptText(operations)}> `,
    onInterrupt,
    onQuit: stop,
  })
}

async function converse(
  options: PromptOptions,
  endings: Endings,
  terminal: Terminal | DumbTerminal,
  looks: Looks,
): Promise<void> {
  const { subscribe, password, greeting = [], endsClient = true } = options
  const operations = sayingWhenSlow(options.operations, (text) => terminal.show([{ text, tone: 'faint' }]))
  const conversation = new Conversation(
    {
      ...looks,
      operations,
      terminal: true,
      get columns() {
        return terminal.size.columns
      },
      endsClient,
      ask: (question) => terminal.ask(question),
      password,
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
    if (event.kind === 'user-changed') terminal.renew()
    conversation.onEvent(event)
  })
  terminal.show(greeting.map((text) => ({ text, tone: 'faint' })))
  let isOpen = true
  const { showReading } = looks
  firstWords({ ...options, showReading }, (line) => isOpen && terminal.show([line])).catch(endings.onBug)
  const runLines = async (): Promise<void> => {
    for await (const line of terminal.lines()) if (await conversation.run(line)) return
    if (endsClient) terminal.show(await lastWords(operations))
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
  const stopping = `${counted(running, 'download stops', 'downloads stop')} here and ${running === 1 ? 'goes' : 'go'} on at your next login`
  return [
    ...(running === 0 ? [] : [{ text: stopping }]),
    ...(fetching === undefined ? [] : [{ text: fetching }]),
  ]
}
