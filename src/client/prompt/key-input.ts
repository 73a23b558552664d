// The keyboard input of readline. Joins the characters of a paste into one key; otherwise readline would put
// them at the end of the line instead of at the cursor, and miscount the rows they occupy.

import { emitKeypressEvents, type Key } from 'node:readline'
import { Readable } from 'node:stream'

/** A tty.ReadStream has this method, a pipe does not. */
interface RawInput {
  setRawMode?(isRaw: boolean): unknown
}

export class KeyInput extends Readable {
  /** While set, it gets each key first; one for which it returns true goes no further. */
  capture: ((text: string | undefined, key: Key) => boolean) | undefined
  readonly #keyboard: Readable & RawInput
  /** Text of the current chunk that readline has not received yet. */
  #text = ''

  constructor(keyboard: Readable & RawInput) {
    super()
    this.#keyboard = keyboard
    emitKeypressEvents(keyboard)
    keyboard.on('keypress', (text: string | undefined, key: Key) => this.#onKey(text, key))
    // This listener runs after that of emitKeypressEvents, which has emitted all keys of the chunk by then.
    keyboard.on('data', () => this.#onChunkEnd())
    keyboard.on('end', () => this.emit('end'))
    keyboard.on('error', (error) => this.emit('error', error))
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

  #onKey(text: string | undefined, key: Key): void {
    if (this.capture?.(text, key) === true) return
    if (text !== undefined && (isPrintable(text) || text === '\t')) {
      this.#text += text
      return
    }
    this.#flush()
    this.emit('keypress', text, key)
  }

  /** A tab at the end of a chunk was typed, so it completes; a tab within a paste is text. */
  #onChunkEnd(): void {
    const isTabLast = this.#text.endsWith('\t')
    if (isTabLast) this.#text = this.#text.slice(0, -1)
    this.#flush()
    if (isTabLast) this.emit('keypress', '\t', { name: 'tab', sequence: '\t' })
  }

  #flush(): void {
    const text = this.#text
    this.#text = ''
    if (text !== '') this.emit('keypress', text, { sequence: text })
  }
}

function isPrintable(text: string): boolean {
  return !/\p{Cc}/u.test(text)
}
