// A person at a pseudo terminal with a program of some kind in it. Nothing sleeps: every step waits for its output, and
// says what stood on the screen when it does not come.

import { spawn, type IPty } from '@lydell/node-pty'
import { ScreenText } from './screen-text.ts'

/** Far longer than anything here takes, also on a machine that is busy with other tests. */
const patienceMs = 20_000
const rows = 30

export interface Place {
  readonly columns?: number
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
}

export class Person {
  readonly exit: Promise<{ exitCode: number; signal: number | undefined }>
  readonly #child: IPty
  readonly #screen: ScreenText
  #output = ''
  #hasExited = false
  readonly #told = new Set<() => void>()

  /** Starts the program. */
  constructor(file: string, args: readonly string[], { columns = 100, env = {}, cwd }: Place = {}) {
    this.#screen = new ScreenText(columns)
    this.#child = spawn(file, [...args], {
      // It becomes TERM.
      name: env['TERM'] ?? 'xterm-256color',
      cols: columns,
      rows,
      cwd,
      // Nothing else of whoever runs the tests: CI, NO_COLOR and their like would decide about colours.
      env: { PATH: process.env['PATH'] ?? '', ...env },
    })
    this.#child.onData((data) => {
      this.#output += data
      this.#screen.write(data)
      for (const tell of this.#told) tell()
    })
    this.exit = new Promise((resolve) =>
      this.#child.onExit(({ exitCode, signal }) => {
        this.#hasExited = true
        resolve({ exitCode, signal })
      }),
    )
  }

  type(text: string): void {
    this.#child.write(text)
  }

  resize(columns: number): void {
    this.#screen.resize(columns)
    this.#child.resize(columns, rows)
  }

  signal(name: NodeJS.Signals): void {
    if (!this.#hasExited) this.#child.kill(name)
  }

  /** Also when it has ended. */
  kill(): void {
    this.signal('SIGKILL')
  }

  /** Closes the terminal, as one closes a window. */
  hangUp(): void {
    // Its type says nothing of it.
    ;(this.#child as IPty & { destroy(): void }).destroy()
  }

  /** All that came out. */
  output(): string {
    return this.#output
  }

  /** The rows of the screen. */
  screen(): string[] {
    return this.#screen.lines
  }

  /** What stands on the screen from the cursor on. */
  afterCursor(): string[] {
    return this.#screen.afterCursor
  }

  /** Rows that go on in the next one because there was no room. */
  brokenRows(): string[] {
    return this.#screen.brokenRows
  }

  /** Resolves when more has come out. */
  more(): Promise<void> {
    const before = this.#output.length
    return this.until(() => this.#output.length > before)
  }

  /** Resolves when the text on the screen is like this. */
  see(wanted: RegExp): Promise<void> {
    return this.until(() => wanted.test(this.screen().join('\n').trimEnd()), String(wanted))
  }

  /** Resolves when the cursor is there, from 0. */
  seeCursor(row: number, column: number): Promise<void> {
    const { cursor } = this.#screen
    return this.until(
      () => this.#screen.cursor.row === row && this.#screen.cursor.column === column,
      `the cursor, which was at ${JSON.stringify(cursor)}, at ${row}, ${column}`,
    )
  }

  /** Resolves when this is so, looking again at all that comes out. */
  async until(isSo: () => boolean, what = String(isSo)): Promise<void> {
    if (isSo()) return
    await new Promise<void>((resolve, reject) => {
      const look = (): void => {
        if (!isSo()) return
        done()
        resolve()
      }
      const timer = setTimeout(() => {
        done()
        reject(new Error(`never saw ${what}, but\n${this.screen().join('\n')}`))
      }, patienceMs)
      const done = (): void => {
        clearTimeout(timer)
        this.#told.delete(look)
      }
      this.#told.add(look)
    })
  }

  /** Makes somebody ask to join; resolves when the program has noticed, also where nothing is seen of it. */
  async knock(): Promise<void> {
    const rings = (): number => this.#output.split('\u0007').length
    const before = rings()
    this.type('\u0007')
    await this.until(() => rings() > before)
  }
}
