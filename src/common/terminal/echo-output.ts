// The terminal output of readline, with an echo that can be turned off: readline echoes what is typed and has
// no public way to hide a password.

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
  readonly #target: TerminalOutput

  constructor(target: TerminalOutput) {
    super({ decodeStrings: false })
    this.#target = target
    target.on('resize', () => this.emit('resize'))
  }

  get columns(): number {
    return this.#target.columns ?? 80
  }

  get rows(): number {
    return this.#target.rows ?? 24
  }

  override _write(chunk: string | Buffer, _encoding: string, done: () => void): void {
    if (!this.hidden) this.#target.write(chunk)
    // Called synchronously, so that the next write is not buffered past a change of `hidden`.
    done()
  }
}
