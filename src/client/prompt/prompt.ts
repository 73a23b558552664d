// Runs the prompt of a script or of a person: takes input, output and operations, and returns an exit code.

import type { Writable } from 'node:stream'
import { systemCode } from '../../common/failure.ts'
import { plainLine, type Screen } from '../../common/terminal/line.ts'
import { refusalOf } from '../answers.ts'
import { runAtTerminal } from './at-terminal.ts'
import type { Surroundings } from './commands/command.ts'
import { downloadsLook } from './commands/progress.ts'
import { Conversation } from './conversation.ts'
import { inputLines } from './input-lines.ts'
import type { Endings, PromptOptions, ScriptOptions } from './options.ts'
import { runPiped, settleOrGiveUp } from './piped.ts'
import { JsonPresenter, LinePresenter, type Presenter } from './presenter.ts'
import { reportProgress } from './report-progress.ts'

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
    await runAtTerminal(options, endings)
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

function makeEndings(signal: AbortSignal | undefined): Endings {
  let stop = (): void => {}
  let onBug = (_error: unknown): void => {}
  const stopped = new Promise<void>((resolve) => (stop = resolve))
  const bug = new Promise<never>((_resolve, reject) => (onBug = reject))
  if (signal?.aborted) stop()
  signal?.addEventListener('abort', stop, { once: true })
  return { stopped, stop, bug, onBug }
}
