// The console at a terminal: the same commands, with a prompt, line editing, a history of this run and completion.

import type { Readable } from 'node:stream'
import { colours } from '../common/terminal/colours.ts'
import type { TerminalOutput } from '../common/terminal/echo-output.ts'
import { History } from '../common/terminal/history.ts'
import type { Line } from '../common/terminal/line.ts'
import { Terminal } from '../common/terminal/terminal.ts'
import { completeCommand, onLine, rememberable, type ConsoleEvents } from './console.ts'
import type { Reading } from './foreground.ts'

export interface TerminalConsoleOptions {
  readonly input: Readable
  readonly output: TerminalOutput
  /** What the prompt says: which tracker it is. */
  readonly name: string
  readonly events: ConsoleEvents
}

export class TerminalConsole implements Reading {
  readonly #options: TerminalConsoleOptions
  #terminal: Terminal | undefined

  constructor(options: TerminalConsoleOptions) {
    this.#options = options
  }

  begin(): void {
    const { input, output, name, events } = this.#options
    const quit = (): void => {
      // No prompt is shown any more.
      this.close()
      events.quit()
    }
    const chalk = colours()
    const terminal = new Terminal({
      input,
      output,
      chalk,
      promptText: () => `${chalk.bold(name)}> `,
      history: new History(rememberable),
      complete: completeCommand,
      // As the signal would.
      quitsAtOnce: true,
      onQuit: quit,
      endSentence: 'type quit to end this tracker',
      // Hears the signal, and stops in its turn.
      onStop: () => process.kill(process.pid, 'SIGTSTP'),
    })
    this.#terminal = terminal
    void this.#run(terminal, { ...events, quit })
  }

  stop(): void {
    this.#terminal?.suspend()
  }

  pause(): void {
    this.#terminal?.suspend({ isOurs: false })
  }

  resume(): void {
    this.#terminal?.resume()
  }

  /** Lets something else write whole lines to the same terminal. */
  beside(write: () => void): void {
    if (this.#terminal === undefined) write()
    else this.#terminal.beside(write)
  }

  /** Restores the terminal, if it is still ours. */
  close(): void {
    this.#terminal?.close()
  }

  async #run(terminal: Terminal, events: ConsoleEvents): Promise<void> {
    const print = (text: string): void => terminal.show([lineOf(text)])
    for await (const line of terminal.lines()) onLine(line, print, events)
  }
}

function lineOf(text: string): Line {
  return { text, hanging: 4, ...(text.startsWith('error: ') && { tone: 'bad' as const }) }
}
