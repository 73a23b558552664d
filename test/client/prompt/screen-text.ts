// What a person sees: the text that stands on the screen after a terminal has obeyed the output.
// Knows the few control sequences that line editing uses, and throws at any other.

export function screenText(output: string, columns: number): string[] {
  const rows: string[][] = [[]]
  let row = 0
  let column = 0
  const line = (): string[] => (rows[row] ??= [])
  const put = (character: string): void => {
    if (column === columns) {
      row++
      column = 0
    }
    const cells = line()
    while (cells.length < column) cells.push(' ')
    cells[column++] = character
  }
  const obey = (parameter: number | undefined, command: string): void => {
    const count = parameter ?? 1
    if (command === 'A') row = Math.max(0, row - count)
    else if (command === 'B') row += count
    else if (command === 'C') column = Math.min(columns - 1, column + count)
    else if (command === 'D') column = Math.max(0, column - count)
    else if (command === 'G') column = count - 1
    else if (command === 'H') {
      row = 0
      column = 0
    } else if (command === 'K') line().length = Math.min(line().length, column)
    else if (command === 'J') {
      line().length = Math.min(line().length, column)
      rows.length = row + 1
    } else if (command !== 'm') throw new Error(`unknown control sequence ${parameter ?? ''}${command}`)
  }
  // What marks pastes is not seen.
  const seen = output.replaceAll('\u001b[?2004h', '').replaceAll('\u001b[?2004l', '')
  // eslint-disable-next-line no-control-regex
  for (const match of seen.matchAll(/\u001b\[(\d*)(?:;\d+)*([A-Za-z])|([^])/gu)) {
    const character = match[3]
    if (character === undefined) obey(match[1] ? Number(match[1]) : undefined, match[2] ?? '')
    else if (character === '\n') row++
    else if (character === '\r') column = 0
    else if (character === '\b') column = Math.max(0, column - 1)
    else if (character === '\u001b') throw new Error('unknown escape')
    else if (character !== '\u0007') put(character)
  }
  return Array.from(rows, (cells) => (cells ?? []).join('').trimEnd())
}
