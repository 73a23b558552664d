// The prompt of a person at a dumb terminal, such as a shell in an editor. The system edits and echoes the line; here it
// is only read when it is whole. For a hidden answer the echo is turned off, and the keys come one by one. No control
// sequence is ever written.

import type { Readable } from 'node:stream'
import { Chalk } from 'chalk'
import { codePointsBeside } from './characters.ts'
import type { TerminalOutput } from './echo-output.ts'
import { paintedLine, type Line, type Screen, type ScreenSize } from './line.ts'

/** What a tty.ReadStream can do. */
interface RawInput {
  setRawMode?(isRaw: boolean): unknown
}

export interface DumbTerminalOptions {
  readonly input: Readable & RawInput
  readonly output: TerminalOutput
  readonly promptText: () => string
  /** Calls back on Ctrl-C until the result is called; undefined where that ends the program. */
  readonly onInterrupt?: ((listener: () => void) => () => void) | undefined
  readonly onQuit: () => void
}

interface Question {
  readonly text: string
  readonly isHidden: boolean
  readonly answer: (answer: string | undefined) => void
}

const colourless = new Chalk({ level: 0 })

/** What keys such as the arrows send. */
// eslint-disable-next-line no-control-regex
const keySequences = /\u001b(\[[\d;]*[A-Za-z~]?|O.|.)?/gu
/** As many as the system takes in a line. */
const lineCharactersMax = 4096

export class DumbTerminal implements Screen {
  readonly #options: DumbTerminalOptions
  readonly #decoder = new TextDecoder()
  readonly #lines: string[] = []
  /** The beginning of a line that has not ended. */
  #begun = ''
  #question: Question | undefined
  /** Called when a line is there, or when no more will come. */
  #wake: (() => void) | undefined
  #interrupt: (() => void) | undefined
  #ended = false
  #prompting = false
  /** Ctrl-C at the prompt has shown a warning; a second one quits. */
  #warned = false
  /** What came while a hidden answer was typed. */
  readonly #deferred: Line[] = []
  readonly #offInterrupt: (() => void) | undefined
  readonly #onData = (chunk: Buffer | string): void => this.#onText(chunk)
  readonly #onEnd = (): void => this.close()

  constructor(options: DumbTerminalOptions) {
    this.#options = options
    const { input, onInterrupt } = options
    input.on('data', this.#onData)
    input.on('end', this.#onEnd)
    input.on('error', this.#onEnd)
    this.#offInterrupt = onInterrupt?.(() => this.#onInterrupt())
  }

  get size(): ScreenSize {
    const { columns, rows } = this.#options.output
    // Some have none.
    return { columns: columns || 80, rows: rows || 24 }
  }

  /** Yields lines one at a time; shows the prompt while waiting for one. */
  async *lines(): AsyncGenerator<string> {
    for (;;) {
      const line = this.#lines.shift()
      if (line !== undefined) yield line
      else if (this.#ended) return
      else {
        const woken = new Promise<void>((resolve) => (this.#wake = resolve))
        this.#prompting = true
        this.#write(this.#options.promptText())
        await woken
        this.#prompting = false
      }
    }
  }

  /** What the prompt says has changed. */
  renew(): void {
    if (this.#prompting && this.#question === undefined) this.#write(`\n${this.#options.promptText()}`)
  }

  /** At the prompt, what has been typed of a line stays above; it counts all the same. */
  show(lines: readonly Line[]): void {
    if (lines.length === 0) return
    if (this.#question !== undefined) {
      this.#deferred.push(...lines)
      return
    }
    const { columns } = this.size
    const text = lines.map((line) => `${paintedLine(line, colourless, columns)}\n`).join('')
    this.#write(this.#prompting ? `\n${text}${this.#options.promptText()}` : text)
  }

  /** Asks with echo; resolves to undefined when the person cancels or the input ends. */
  ask(text: string): Promise<string | undefined> {
    return this.#ask(text, false)
  }

  /** Asks for a secret without echo; resolves to undefined when the person cancels or the input ends. */
  askHidden(text: string): Promise<string | undefined> {
    return this.#ask(text, true)
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

  /** Reads nothing more. */
  close(): void {
    if (this.#ended) return
    this.#ended = true
    const { input } = this.#options
    this.#offInterrupt?.()
    input.off('data', this.#onData)
    input.off('end', this.#onEnd)
    input.off('error', this.#onEnd)
    input.on('error', () => undefined)
    input.pause()
    this.#answer(undefined)
    this.#interrupt?.()
    if (this.#prompting) this.#write('\n')
    this.#prompting = false
    this.#wake?.()
  }

  #ask(text: string, isHidden: boolean): Promise<string | undefined> {
    if (this.#ended) return Promise.resolve(undefined)
    // Before the question is seen: whoever answers at once is not echoed.
    if (isHidden) this.#options.input.setRawMode?.(true)
    this.#write(text)
    return new Promise((answer) => {
      this.#question = { text, isHidden, answer }
      // Typed ahead.
      const line = this.#lines.shift()
      if (line !== undefined) this.#answer(line)
    })
  }

  #answer(answer: string | undefined): void {
    const question = this.#question
    if (question === undefined) return
    this.#question = undefined
    this.#begun = ''
    if (question.isHidden) this.#options.input.setRawMode?.(false)
    if (question.isHidden || answer === undefined) this.#write('\n')
    this.show(this.#deferred.splice(0))
    question.answer(answer)
  }

  #onText(chunk: Buffer | string): void {
    const text = typeof chunk === 'string' ? chunk : this.#decoder.decode(chunk, { stream: true })
    for (const character of this.#question?.isHidden ? text.replaceAll(keySequences, '') : text) {
      if (this.#question?.isHidden) this.#onHiddenKey(character)
      else if (character === '\n') this.#onLine()
      else if (this.#begun.length < lineCharactersMax) this.#begun += character
    }
  }

  #onLine(): void {
    const line = this.#begun.replace(/\r$/, '')
    this.#begun = ''
    this.#warned = false
    if (this.#question !== undefined) {
      this.#answer(line)
      return
    }
    this.#lines.push(line)
    this.#wake?.()
  }

  #onHiddenKey(character: string): void {
    const isEnd = character === '\u0004' && this.#begun === ''
    if (character === '\r' || character === '\n') this.#answer(this.#begun)
    else if (character === '\u0003' || isEnd) this.#answer(undefined)
    else if (character === '\u0015') this.#begun = ''
    else if (character === '\u007f' || character === '\b') {
      const count = codePointsBeside(this.#begun, this.#begun.length, 'left')
      this.#begun = Array.from(this.#begun).slice(0, -count).join('')
    } else if (!/\p{Cc}/u.test(character) && this.#begun.length < lineCharactersMax) this.#begun += character
  }

  /** The system has thrown away what was typed of the line. */
  #onInterrupt(): void {
    this.#begun = ''
    if (this.#question !== undefined) this.#answer(undefined)
    else if (this.#interrupt !== undefined) {
      // Behind the ^C of the system.
      this.#write('\n')
      this.#interrupt()
    } else if (this.#warned) this.#options.onQuit()
    else {
      this.#warned = true
      this.show([{ text: 'to leave, type quit or press Ctrl-C again', tone: 'faint' }])
    }
  }

  #write(text: string): void {
    this.#options.output.write(text)
  }
}
