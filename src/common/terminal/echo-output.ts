// The terminal output of readline, with an echo that can be turned off: readline echoes what is typed and has
// no public way to hide a password. A new size counts when it is taken: readline believes the old one until then.

import { Writable } from 'node:stream'

/** What readline needs of a terminal; a tty.WriteStream provides it. */
export interface TerminalOutput extends NodeJS.WritableStream {
  readonly columns?: number
  readonly rows?: number
}

export class EchoOutput extends Writable {
  hidden = false
  /** readline moves the cursor only on a terminal. */
  readonly isTTY = true
  /** The terminal has another size. */
  onResized = (): void => this.takeSize()
  readonly #target: TerminalOutput
  #columns = 80
  #rows = 24

  constructor(target: TerminalOutput) {
    super({ decodeStrings: false })
    this.#target = target
    this.takeSize()
    target.on('resize', () => this.onResized())
  }

  get columns(): number {
    return this.#columns
  }

  get rows(): number {
    return this.#rows
  }

  /** From now on the size of the terminal counts, as it is. */
  takeSize(): void {
    // Some terminals have none.
    this.#columns = this.#target.columns || 80
    this.#rows = this.#target.rows || 24
  }

  override _write(chunk: string | Buffer, _encoding: string, done: () => void): void {
    if (!this.hidden) this.#target.write(chunk)
    // Called synchronously, so that the next write is not buffered past a change of `hidden`.
    done()
  }
}
