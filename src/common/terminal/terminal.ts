// The prompt of a person: line editing, history, completion, hidden passwords, and output that does not
// destroy what is being typed.

import { createInterface } from 'node:readline'
import type { Interface, Key } from 'node:readline'
import type { Readable } from 'node:stream'
import type { ChalkInstance } from 'chalk'
import { codePointsBeside, sideOf } from './characters.ts'
import type { Completion } from './completion.ts'
import { Drawing } from './drawing.ts'
import type { TerminalOutput } from './echo-output.ts'
import { EchoOutput } from './echo-output.ts'
import { historyLinesMax, type History } from './history.ts'
import { HistorySearch } from './history-search.ts'
import { KeyInput } from './key-input.ts'
import type { Line, Screen, ScreenSize } from './line.ts'
import { inColumns } from './width.ts'

type Asking = (answer: string | undefined) => void

/** How a terminal is told to mark what is pasted. */
const marksPastes = '\u001B[?2004h'
const marksNoPastes = '\u001B[?2004l'

/** How a prompt at a terminal differs from another. */
export interface TerminalOptions {
  readonly input: Readable
  readonly output: TerminalOutput
  readonly chalk: ChalkInstance
  readonly promptText: () => string
  readonly history: History
  /** Of the line up to the cursor. */
  readonly complete: (line: string) => Completion
  readonly onQuit: () => void
  /** Ctrl-C on an empty line quits at once, without a warning first. */
  readonly quitsAtOnce?: boolean
  /** What Ctrl-D on an empty line says, where it does not end the prompt. */
  readonly endSentence?: string
  /** Called on Ctrl-Z; by default the terminal is suspended and this process stops. */
  readonly onStop?: () => void
}

export class Terminal implements Screen {
  readonly #options: TerminalOptions
  readonly #editor: Interface
  readonly #keys: KeyInput
  readonly #echo: EchoOutput
  /** While Ctrl-R looks for a line, with the prompt and what had been typed before. */
  #search: { readonly history: HistorySearch; readonly prompt: string; readonly typed: string } | undefined
  readonly #drawing: Drawing
  readonly #lines: string[] = []
  #asking: Asking | undefined
  /** Called when a line is ready to run, or when no more will come. */
  #wake: (() => void) | undefined
  #interrupt: (() => void) | undefined
  #ended = false
  /** The prompt is on the screen, so a newline must follow it at the end. */
  #prompting = false
  /** The terminal belongs to others, so neither its modes nor its cursor are ours to change. */
  #suspended = false
  /** In a row, up to now. */
  #tabs = 0
  /** Ctrl-C on an empty line has shown a warning; a second one quits. */
  #warned = false
  /** Lines deferred while a password is typed, so that they neither reveal it nor are hidden with it. */
  readonly #deferred: Line[] = []
  readonly #sizeListeners = new Set<() => void>()

  constructor(options: TerminalOptions) {
    this.#options = options
    const { input, output, chalk, history, onStop } = options
    this.#echo = new EchoOutput(output)
    this.#echo.onResized = () => this.#onResized()
    this.#keys = new KeyInput(input)
    this.#keys.onKey = (text, key) => this.#onKey(text, key)
    this.#keys.onEnd = () => this.close()
    this.#echo.write(marksPastes)
    this.#editor = createInterface({
      input: this.#keys,
      output: this.#echo,
      terminal: true,
      completer: (line: string) => this.#completed(line),
      history: history.newestFirst,
      historySize: historyLinesMax,
    })
    this.#drawing = new Drawing(this.#echo, this.#editor, chalk)
    this.#editor.on('line', (line) => this.#onLine(line))
    this.#editor.on('close', () => this.#onEnd())
    this.#editor.on('SIGINT', () => this.#onInterrupt())
    this.#editor.on('SIGTSTP', onStop ?? (() => this.#stop()))
    this.#editor.on('history', (lines) => {
      // readline adds every line it reads to its history, passwords included.
      if (lines[0] !== this.#editor.line) return
      const kept = this.#asking === undefined ? this.#options.history.add(lines[0]) : undefined
      if (kept === undefined) lines.shift()
      else lines[0] = kept
    })
  }

  /** Yields typed lines one at a time; shows the prompt while waiting for one. */
  async *lines(): AsyncGenerator<string> {
    for (;;) {
      const line = this.#lines.shift()
      if (line !== undefined) yield line
      else if (this.#ended) return
      else {
        const woken = new Promise<void>((resolve) => (this.#wake = resolve))
        this.#prompt(this.#options.promptText())
        this.#prompting = true
        this.#keys.release()
        await woken
        this.#prompting = false
        this.#editor.setPrompt('')
      }
    }
  }

  /** What the prompt says has changed: shows it anew, with what is being typed. */
  renew(): void {
    const isOther = this.#asking !== undefined || this.#search !== undefined || this.#suspended
    if (!this.#prompting || isOther) return
    this.#editor.setPrompt(this.#options.promptText())
    this.#editor.prompt(true)
  }

  show(lines: readonly Line[]): void {
    if (lines.length === 0) return
    if (this.#asking !== undefined) {
      this.#deferred.push(...lines)
      return
    }
    if (this.#isDrawn) this.#drawing.draw(lines)
    else this.#drawing.print(lines)
  }

  clear(): void {
    this.#drawing.clear()
  }

  /** Replaces the live lines of this owner; none take them away. */
  showLive(owner: symbol, lines: readonly Line[]): void {
    this.#drawing.setLive(owner, lines)
    // Nothing moves while a question is asked; afterwards the next change is drawn.
    if (this.#asking === undefined && this.#isDrawn) this.#drawing.draw()
  }

  get size(): ScreenSize {
    // The prompt has the last row.
    return { columns: this.#echo.columns, rows: this.#echo.rows - 1 }
  }

  captureKeys(onKey?: (text: string | undefined, key: Key) => boolean): void {
    this.#keys.capture = onKey
  }

  onResize(callback: () => void): () => void {
    this.#sizeListeners.add(callback)
    return () => void this.#sizeListeners.delete(callback)
  }

  /** Lets something else write whole lines, such as a log, above the line being typed. */
  beside(write: () => void): void {
    if (this.#isDrawn) this.#drawing.drawBeside(write)
    else write()
  }

  /** Whether there is a line on the screen that is ours to be drawn again. */
  get #isDrawn(): boolean {
    return !this.#ended && !this.#suspended && !this.#echo.hidden
  }

  #onResized(): void {
    this.#drawing.onResized(this.#isDrawn)
    if (this.#ended || this.#suspended) return
    for (const callback of this.#sizeListeners) callback()
  }

  /** Asks for a secret without echo; resolves to undefined when the person cancels or the input ends. */
  askHidden(question: string): Promise<string | undefined> {
    return this.#ask(question, true)
  }

  /** Asks with echo; resolves to undefined when the person cancels or the input ends. */
  ask(question: string): Promise<string | undefined> {
    return this.#ask(question, false)
  }

  #ask(question: string, isHidden: boolean): Promise<string | undefined> {
    if (this.#ended) return Promise.resolve(undefined)
    return new Promise((resolve) => {
      // A bar would move the question.
      this.#drawing.hideLive()
      this.#prompt(question)
      this.#echo.hidden = isHidden
      this.#asking = (answer) => {
        this.#asking = undefined
        this.#echo.hidden = false
        if (isHidden || answer === undefined) this.#echo.write('\n')
        this.#editor.setPrompt('')
        this.show(this.#deferred.splice(0))
        resolve(answer)
      }
      this.#keys.release()
    })
  }

  /** Resolves with the promise, or to undefined when Ctrl-C is typed or the input ends. */
  async untilInterrupted<T>(waited: Promise<T>): Promise<T | undefined> {
    if (this.#ended) return undefined
    const interrupted = new Promise<undefined>((resolve) => (this.#interrupt = () => resolve(undefined)))
    try {
      return await Promise.race([waited, interrupted])
    } finally {
      this.#interrupt = undefined
    }
  }

  /**
   * Gives the terminal back as it was. What is shown until `resume` is printed as it comes. `isOurs`: others have not taken
   * it yet, so it can be reset.
   */
  suspend({ isOurs = true } = {}): void {
    if (this.#ended || this.#suspended) return
    this.#suspended = true
    this.#editor.pause()
    if (!isOurs) return
    this.#echo.write(marksNoPastes)
    this.#keys.setRawMode(false)
  }

  /** The terminal is ours again: draws the line as it was, where the cursor is now. */
  resume(): void {
    if (this.#ended || !this.#suspended) return
    this.#suspended = false
    // Node remembers what it set, not what others have set since.
    this.#keys.setRawMode(false)
    this.#keys.setRawMode(true)
    this.#editor.resume()
    this.#echo.write(marksPastes)
    if (!this.#echo.hidden) {
      this.#drawing.drawAnew(this.#asking === undefined)
      return
    }
    // A hidden echo would swallow the question.
    this.#echo.hidden = false
    this.#echo.write(this.#editor.getPrompt())
    this.#echo.hidden = true
  }

  /** Stops this process, until `fg`. */
  #stop(): void {
    this.suspend()
    process.once('SIGCONT', () => this.resume())
    process.kill(process.pid, 'SIGTSTP')
    // Without a shell that could let it go on, the system stops nothing.
    setImmediate(() => this.resume())
  }

  /** Restores the terminal. */
  close(): void {
    // Whoever has it now has set it.
    if (this.#ended || this.#suspended) return
    this.#drawing.hideLive()
    this.#editor.close()
  }

  #prompt(text: string): void {
    this.#editor.setPrompt(text)
    // It would read the terminal, which may belong to others.
    if (!this.#suspended) this.#editor.prompt(true)
  }

  #onLine(line: string): void {
    this.#warned = false
    if (this.#asking !== undefined) {
      this.#asking(line)
      return
    }
    // Below the line and its reply, as before.
    this.#drawing.drawLiveBelow()
    this.#lines.push(line)
    this.#wake?.()
  }

  #onEnd(): void {
    this.#ended = true
    this.#interrupt?.()
    this.#echo.write(marksNoPastes)
    this.#asking?.(undefined)
    if (this.#prompting) this.#echo.write('\n')
    this.#wake?.()
  }

  #onInterrupt(): void {
    if (this.#asking !== undefined) {
      this.#clearLine()
      this.#asking(undefined)
    } else if (this.#editor.line !== '') {
      this.#warned = false
      this.#clearLine()
    } else if (this.#interrupt !== undefined) {
      this.#interrupt()
    } else if (this.#warned || this.#options.quitsAtOnce) {
      this.#options.onQuit()
    } else {
      this.show([{ text: 'to leave, type quit or press Ctrl-C again', tone: 'faint' }])
      this.#warned = true
    }
  }

  /** For readline, which inserts what all candidates begin with, but would list them over the live lines. */
  #completed(line: string): [candidates: string[], typed: string] {
    if (this.#asking !== undefined) return [[], line]
    const { candidates, typed, beginning } = this.#options.complete(line)
    const isStuck = candidates.length !== 1 && typed.startsWith(beginning)
    if (!isStuck) return [[beginning], typed]
    const names = candidates.map((candidate) => candidate.replace(/ $/, ''))
    if (this.#tabs > 1) this.show(inColumns(names, this.#echo.columns).map((text) => ({ text })))
    return [[], line]
  }

  /** Whether the key goes no further, to the line. */
  #onKey(text: string | undefined, key: Key): boolean {
    this.#tabs = key.name === 'tab' ? this.#tabs + 1 : 0
    if (this.#isTaken(text, key)) return true
    const isEnter = key.name === 'return' || key.name === 'enter'
    // The line and its reply go above the live lines, with what came before.
    if (isEnter) this.#drawing.hideLive()
    // readline takes a code point for a character.
    const side = sideOf(key)
    if (side === undefined) return false
    const codePoints = codePointsBeside(this.#editor.line, this.#editor.cursor, side)
    for (let more = 1; more < codePoints; more++) this.#editor.write(null, key)
    return false
  }

  /** Whether the key is for the search in the history, or for a question. */
  #isTaken(text: string | undefined, key: Key): boolean {
    const isEnd = key.ctrl === true && key.name === 'd'
    if (isEnd && this.#asking !== undefined && this.#editor.line === '') {
      // It ends the question, not the client.
      this.#asking(undefined)
      return true
    }
    if (isEnd && this.#options.endSentence !== undefined && this.#editor.line === '') {
      this.show([{ text: this.#options.endSentence, tone: 'faint' }])
      return true
    }
    if (this.#search === undefined) {
      const isSearch = key.ctrl === true && key.name === 'r'
      if (!isSearch || this.#asking !== undefined || !this.#prompting) return false
      const { line: typed } = this.#editor
      const history = new HistorySearch(this.#options.history.newestFirst)
      this.#search = { history, typed, prompt: this.#editor.getPrompt() }
      this.#showLine(history.promptText, '')
      return true
    }
    const { history, prompt, typed } = this.#search
    const step = history.onKey(text, key)
    if (step === 'on') {
      this.#showLine(history.promptText, history.found)
      return true
    }
    this.#search = undefined
    this.#showLine(prompt, step === 'give-up' ? typed : history.found)
    // Ctrl-C and Ctrl-G have done what they are for; any other key goes on to the line.
    return step === 'give-up' || key.name === 'escape'
  }

  #showLine(prompt: string, line: string): void {
    this.#editor.setPrompt(prompt)
    this.#clearLine()
    if (line === '') this.#editor.prompt(true)
    else this.#editor.write(line)
  }

  #clearLine(): void {
    this.#editor.write(null, { ctrl: true, name: 'e' })
    this.#editor.write(null, { ctrl: true, name: 'u' })
  }
}
