// The keyboard input of readline. Joins the characters of a paste into one key; otherwise readline would put them at the
// end of the line instead of at the cursor, and miscount the rows they occupy. Of several pasted lines it hands over one
// at a time, so that each is echoed when its turn comes, with its reply behind it.

import { emitKeypressEvents, type Key } from 'node:readline'
import { Readable } from 'node:stream'
import { systemCode } from '../failure.ts'

/** A tty.ReadStream has this method, a pipe does not. */
interface RawInput {
  setRawMode?(isRaw: boolean): unknown
}

interface Press {
  readonly text: string | undefined
  readonly key: Key
}

export class KeyInput extends Readable {
  readonly #keyboard: Readable & RawInput
  /** Text of the current chunk that readline has not received yet. */
  #text = ''
  /** Between the marks that a terminal sets around a paste. */
  #isPasting = false
  /** A line was entered, and what came with it waits until the next one is asked for. */
  #isHeld = false
  #waiting: Press[] = []
  #hasEnded = false
  /** While set, it gets each key first, as it comes; one for which it returns true goes no further. */
  capture: ((text: string | undefined, key: Key) => boolean) | undefined
  /** No more keys will come. readline is not told, since it would take what has been typed for a line. */
  onEnd = (): void => undefined
  /** Takes a key instead of readline when it returns true. */
  onKey: (text: string | undefined, key: Key) => boolean = () => false

  constructor(keyboard: Readable & RawInput) {
    super()
    this.#keyboard = keyboard
    emitKeypressEvents(keyboard)
    keyboard.on('keypress', (text: string | undefined, key: Key) => this.#onKey(text, key))
    // This listener runs after that of emitKeypressEvents, which has emitted all keys of the chunk by then.
    keyboard.on('data', () => this.#onChunkEnd())
    keyboard.on('end', () => this.#end())
    keyboard.on('error', (error) => {
      // The terminal is gone.
      if (systemCode(error) === undefined) this.emit('error', error)
      else this.#end()
    })
  }

  setRawMode(isRaw: boolean): this {
    this.#keyboard.setRawMode?.(isRaw)
    return this
  }

  override pause(): this {
    this.#keyboard.pause()
    return this
  }

  override resume(): this {
    this.#keyboard.resume()
    return this
  }

  /** readline receives keypress events; no bytes are read. */
  override _read(): void {}

  /** The next line is asked for: hands over what waits, up to the end of a line. */
  release(): void {
    this.#isHeld = false
    const waiting = this.#waiting
    this.#waiting = []
    for (const { text, key } of waiting) this.#press(text, key)
    if (this.#waiting.length === 0) this.#isHeld = false
  }

  /** Once: setting the modes of a terminal that is gone fails, too. */
  #end(): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.onEnd()
  }

  #onKey(text: string | undefined, key: Key): void {
    if (key.name === 'paste-start' || key.name === 'paste-end') {
      this.#flush()
      this.#isPasting = key.name === 'paste-start'
      return
    }
    if (this.capture?.(text, key) === true) return
    if (text !== undefined && (isPrintable(text) || text === '\t')) {
      this.#text += text
      return
    }
    this.#flush()
    // Other control characters in a paste are nothing that somebody typed.
    if (!this.#isPasting || key.name === 'return' || key.name === 'enter') this.#press(text, key)
  }

  /** Tabs at the end of a chunk were typed, so they complete; a tab within a paste is text. */
  #onChunkEnd(): void {
    const tabs = this.#isPasting ? 0 : (/\t+$/.exec(this.#text)?.[0].length ?? 0)
    this.#text = this.#text.slice(0, this.#text.length - tabs)
    this.#flush()
    for (let count = 0; count < tabs; count++) this.#press('\t', { name: 'tab', sequence: '\t' })
    if (this.#waiting.length === 0) this.#isHeld = false
  }

  #flush(): void {
    const text = this.#text
    this.#text = ''
    if (text !== '') this.#press(text, { sequence: text })
  }

  #press(text: string | undefined, key: Key): void {
    if (key.ctrl === true && key.name === 'c') {
      // What was pasted is given up with the line.
      this.#waiting = []
      this.#isHeld = false
    }
    const isStop = key.ctrl === true && key.name === 'z'
    if (this.#isHeld && !isStop) {
      this.#waiting.push({ text, key })
      return
    }
    const isEnd = key.name === 'return' || key.name === 'enter'
    if (!this.onKey(text, key)) this.emit('keypress', text, key)
    if (isEnd) this.#isHeld = true
  }
}

function isPrintable(text: string): boolean {
  return !/\p{Cc}/u.test(text)
}
