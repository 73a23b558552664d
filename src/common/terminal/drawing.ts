// Draws what stands above the line that is being typed, and that line again below it: what was said, and the live lines,
// which are replaced again and again.

import { clearScreenDown, cursorTo, moveCursor, type Interface } from 'node:readline'
import type { ChalkInstance } from 'chalk'
import type { EchoOutput } from './echo-output.ts'
import { paintedLine, plainLine, type Line } from './line.ts'
import { rowsOf } from './width.ts'

export class Drawing {
  readonly #echo: EchoOutput
  readonly #editor: Interface
  readonly #chalk: ChalkInstance
  /** By owner: the lines that stand above the prompt and are replaced. */
  readonly #live = new Map<symbol, readonly Line[]>()
  /** Those that are on the screen. */
  #shown: readonly Line[] = []

  constructor(echo: EchoOutput, editor: Interface, chalk: ChalkInstance) {
    this.#echo = echo
    this.#editor = editor
    this.#chalk = chalk
  }

  /** Replaces the live lines of this owner, from the next drawing on; none take them away. */
  setLive(owner: symbol, lines: readonly Line[]): void {
    if (lines.length === 0) this.#live.delete(owner)
    else this.#live.set(owner, lines)
  }

  /** Puts these lines above the live ones, and those above the line being typed. */
  draw(lines: readonly Line[] = []): void {
    this.#draw(() => this.print(lines), this.#allLive)
  }

  /** Has something else write whole lines there. */
  drawBeside(write: () => void): void {
    this.#draw(write, this.#allLive)
  }

  /** Takes the live lines off the screen, until the next drawing. */
  hideLive(): void {
    if (this.#shown.length > 0) this.#draw(() => undefined, [])
  }

  /** Draws where the cursor is, below what others have written. */
  drawAnew(hasLive: boolean): void {
    this.#shown = []
    const { rows } = this.#editor.getCursorPos()
    this.#drawFrom(0, rows, () => undefined, hasLive ? this.#allLive : [])
  }

  /** At the beginning of a row, with nothing below: a line has just been entered. */
  drawLiveBelow(): void {
    this.#shown = this.#allLive
    this.print(this.#shown)
  }

  /** Takes the new size. Nearly all terminals have broken the lines anew by then, and the cursor has stayed with its character. */
  onResized(isDrawn: boolean): void {
    const { rows: knownRows } = this.#editor.getCursorPos()
    this.#echo.takeSize()
    if (!isDrawn) return
    const { rows, cols } = this.#editor.getCursorPos()
    // At the end of a full row the cursor is there, or in the next one: rather one row too many than one too few.
    const rowsAbove = cols === 0 && rows > 0 ? rows - 1 : rows
    this.#drawFrom(rowsAbove, knownRows, () => undefined, this.#shown)
  }

  /** Empties the screen. */
  clear(): void {
    cursorTo(this.#echo, 0, 0)
    clearScreenDown(this.#echo)
    // What is drawn next has nothing to replace.
    this.#shown = []
  }

  /** Where the cursor is, at the beginning of a row. */
  print(lines: readonly Line[]): void {
    this.#echo.write(lines.map((line) => `${paintedLine(line, this.#chalk, this.#echo.columns)}\n`).join(''))
  }

  get #allLive(): Line[] {
    return [...this.#live.values()].flat()
  }

  #draw(write: () => void, live: readonly Line[]): void {
    const { rows } = this.#editor.getCursorPos()
    this.#drawFrom(rows, rows, write, live)
  }

  /**
   * Overwrites the line being typed, which is then drawn again below. `rows`: how many the cursor is below the prompt;
   * `knownRows`: how many readline believes it is, since it first moves up by those, hence as many empty rows.
   */
  #drawFrom(rows: number, knownRows: number, write: () => void, live: readonly Line[]): void {
    moveCursor(this.#echo, 0, -(rows + this.#shownRows()))
    cursorTo(this.#echo, 0)
    clearScreenDown(this.#echo)
    try {
      write()
    } finally {
      this.#shown = live
      this.print(live)
      this.#echo.write('\n'.repeat(knownRows))
      this.#editor.prompt(true)
    }
  }

  /** A terminal that became narrower has wrapped them. */
  #shownRows(): number {
    return this.#shown.reduce((all, line) => all + rowsOf(plainLine(line), this.#echo.columns), 0)
  }
}
