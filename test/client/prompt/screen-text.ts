// What a person sees: the text that stands on the screen after a terminal has obeyed the output. Knows the few control
// sequences that line editing uses, and throws at any other. When the width changes it does what most terminals do:
// it breaks the lines anew, and the cursor stays with its character.

/** A row of the screen: a character a cell, none in the second cell of a wide one. */
interface Row {
  cells: string[]
  /** The next row continues it, since there was no room. */
  isContinued: boolean
}

const zeroWide = /^[\p{Mn}\p{Me}\p{Cf}]/u
const wide =
  /^(\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6])/u

export class ScreenText {
  #columns: number
  #rows: Row[] = []
  #row = 0
  #column = 0
  /** The beginning of a control sequence whose rest has not come. */
  #begun = ''

  constructor(columns: number) {
    this.#columns = columns
  }

  get lines(): string[] {
    return Array.from(this.#rows, (row) => (row?.cells ?? []).join('').trimEnd())
  }

  /** Rows that go on in the next one because there was no room. */
  get brokenRows(): string[] {
    return this.#rows.filter((row) => row?.isContinued).map(({ cells }) => cells.join(''))
  }

  /** From 0. */
  get cursor(): { row: number; column: number } {
    return { row: this.#row, column: this.#column }
  }

  /** What stands from the cursor on. */
  get afterCursor(): string[] {
    const rows = this.#rows.slice(this.#row).map((row) => row?.cells ?? [])
    return rows.map((cells, at) => (at === 0 ? cells.slice(this.#column) : cells).join(''))
  }

  write(output: string): void {
    const all = this.#begun + output
    // eslint-disable-next-line no-control-regex
    this.#begun = /\u001b(\[[?\d;]*)?$/.exec(all)?.[0] ?? ''
    // What marks pastes is not seen.
    // eslint-disable-next-line no-control-regex
    const whole = all.slice(0, all.length - this.#begun.length).replaceAll(/\u001b\[\?2004[hl]/g, '')
    // eslint-disable-next-line no-control-regex
    for (const match of whole.matchAll(/\u001b\[(\d*)(?:;\d+)*([A-Za-z])|([^])/gu)) {
      const character = match[3]
      if (character === undefined) this.#obey(match[1] ? Number(match[1]) : undefined, match[2] ?? '')
      else if (character === '\n') this.#row++
      else if (character === '\r') this.#column = 0
      else if (character === '\b') this.#column = Math.max(0, this.#column - 1)
      else if (character === '\u001b') throw new Error('unknown escape')
      else if (character !== '\u0007') this.#put(character)
    }
  }

  resize(columns: number): void {
    const rows: Row[] = []
    let cursor = { row: 0, column: 0 }
    let line: string[] = []
    let offset: number | undefined
    for (let at = 0; at < Math.max(this.#rows.length, this.#row + 1); at++) {
      const { cells, isContinued } = this.#rows[at] ?? { cells: [], isContinued: false }
      if (at === this.#row) offset = line.length + this.#column
      line.push(...cells)
      if (isContinued) continue
      const broken = brokenAt(line, columns, offset)
      if (broken.cursor !== undefined)
        cursor = { row: rows.length + broken.cursor.row, column: broken.cursor.column }
      rows.push(...broken.rows)
      line = []
      offset = undefined
    }
    this.#columns = columns
    this.#rows = rows
    this.#row = cursor.row
    this.#column = cursor.column
  }

  get #line(): Row {
    return (this.#rows[this.#row] ??= { cells: [], isContinued: false })
  }

  #put(character: string): void {
    if (zeroWide.test(character)) {
      const { cells } = this.#line
      const at = cells[this.#column - 1] === '' ? this.#column - 2 : this.#column - 1
      cells[at] = (cells[at] ?? ' ') + character
      return
    }
    const width = wide.test(character) ? 2 : 1
    if (this.#column + width > this.#columns) {
      this.#line.isContinued = true
      this.#row++
      this.#column = 0
    }
    const { cells } = this.#line
    while (cells.length < this.#column) cells.push(' ')
    // Half of a wide character is none.
    if (cells[this.#column] === '') cells[this.#column - 1] = ' '
    if (cells[this.#column + width] === '') cells[this.#column + width] = ' '
    cells[this.#column] = character
    if (width === 2) cells[this.#column + 1] = ''
    this.#column += width
  }

  #obey(parameter: number | undefined, command: string): void {
    const count = parameter ?? 1
    if (command === 'A') this.#row = Math.max(0, this.#row - count)
    else if (command === 'B') this.#row += count
    else if (command === 'C') this.#column = Math.min(this.#columns - 1, this.#column + count)
    else if (command === 'D') this.#column = Math.max(0, this.#column - count)
    else if (command === 'G') this.#column = count - 1
    else if (command === 'H') {
      this.#row = 0
      this.#column = 0
    } else if (command === 'K' || command === 'J') {
      const row = this.#line
      row.cells.length = Math.min(row.cells.length, this.#column)
      row.isContinued = false
      if (command === 'J') this.#rows.length = this.#row + 1
    } else if (command !== 'm') throw new Error(`unknown control sequence ${parameter ?? ''}${command}`)
  }
}

/** The rows of a line at this width, and where the cursor is that was `offset` cells behind its beginning. */
function brokenAt(line: readonly string[], columns: number, offset: number | undefined) {
  const rows: Row[] = [{ cells: [], isContinued: false }]
  let cursor: { row: number; column: number } | undefined
  for (const [at, cell] of line.entries()) {
    let row = rows.at(-1) as Row
    const width = line[at + 1] === '' ? 2 : 1
    if (cell !== '' && row.cells.length + width > columns) {
      row.isContinued = true
      rows.push((row = { cells: [], isContinued: false }))
    }
    if (at === offset) cursor = { row: rows.length - 1, column: row.cells.length }
    row.cells.push(cell)
  }
  const last = rows.at(-1) as Row
  if (offset !== undefined && cursor === undefined)
    cursor = { row: rows.length - 1, column: Math.min(columns, last.cells.length + offset - line.length) }
  return { rows, cursor }
}

/** The rows that stand there after this output, on a screen that never changed its width. */
export function screenText(output: string, columns: number): string[] {
  const screen = new ScreenText(columns)
  screen.write(output)
  return screen.lines
}
