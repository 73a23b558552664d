// The keyboard as readline reads it. Joins the characters of a paste into one key: readline would put
// them at the end of the line instead of at the cursor, and lose count of the rows that they take.

import { emitKeypressEvents, type Key } from 'node:readline'
import { Readable } from 'node:stream'

/** What a tty.ReadStream can do and a pipe cannot. */
interface RawInput {
  setRawMode?(isRaw: boolean): unknown
}

export class KeyInput extends Readable {
  readonly #keyboard: Readable & RawInput
  /** Text of the present chunk that readline has not been given yet. */
  #text = ''

  constructor(keyboard: Readable & RawInput) {
    super()
    this.#keyboard = keyboard
    emitKeypressEvents(keyboard)
    keyboard.on('keypress', (text: string | undefined, key: Key) => this.#onKey(text, key))
    // This listener follows that of emitKeypressEvents: all keys of the chunk have been told by now.
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

  /** readline hears keys; no bytes come this way. */
  override _read(): void {}

  #onKey(text: string | undefined, key: Key): void {
    if (text !== undefined && (isPrintable(text) || text === '\t')) {
      this.#text += text
      return
    }
    this.#flush()
    this.emit('keypress', text, key)
  }

  /** A tab completes when it was typed, so at the end of a chunk; within a paste it is a blank. */
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
