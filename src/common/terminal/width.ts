// How many columns a text takes on a terminal, cutting it to fit, and breaking it between words. Pure.

import { graphemesOf, isPlain } from './graphemes.ts'

/** East Asian wide and fullwidth characters, as [first, last]. */
const wideRanges = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0x33ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff01, 0xff60],
  [0xffe0, 0xffe6],
  [0x1b000, 0x1b2ff],
  [0x20000, 0x3fffd],
] as const

export function displayWidth(text: string): number {
  // Quick.
  if (isPlain(text)) return text.length
  let width = 0
  for (const grapheme of graphemesOf(text)) width += widthOf(grapheme)
  return width
}

/** What a terminal shows as one character. */
function widthOf(grapheme: string): number {
  if (/\p{Emoji_Presentation}|\ufe0f/u.test(grapheme)) return 2
  const code = grapheme.codePointAt(0) ?? 0
  if (/^[\p{Mn}\p{Me}\p{Cf}]/u.test(grapheme)) return 0
  return wideRanges.some(([first, last]) => code >= first && code <= last) ? 2 : 1
}

/** How many rows a text takes on a terminal that breaks it anywhere; at least one. */
export function rowsOf(text: string, columns: number): number {
  let rows = 1
  let used = 0
  for (const grapheme of graphemesOf(text)) {
    const width = widthOf(grapheme)
    // A wide character is not broken in two.
    if (used + width > columns) {
      rows++
      used = 0
    }
    used += width
  }
  return rows
}

/** The text, cut with an ellipsis where it is wider than this. */
export function cutTo(text: string, width: number): string {
  if (displayWidth(text) <= width) return text
  if (width < 1) return ''
  let cut = ''
  let used = 0
  for (const grapheme of graphemesOf(text)) {
    const next = widthOf(grapheme)
    if (used + next > width - 1) break
    cut += grapheme
    used += next
  }
  return `${cut}…`
}

/** Cut or filled up with spaces behind it. */
export function fitTo(text: string, width: number): string {
  const cut = cutTo(text, width)
  return cut + ' '.repeat(Math.max(0, width - displayWidth(cut)))
}

/** A continuation that is indented by more than this part of a row would have no room. */
const hangingMax = 0.6

/**
 * Breaks the text between words so that no row is wider than the terminal, unless a word is. Rows after the first are
 * indented by `hanging` columns, or by four where the terminal is too narrow for that.
 */
export function wrapped(text: string, columns: number, hanging: number): string {
  if (displayWidth(text) <= columns) return text
  const indent = ' '.repeat(hanging > columns * hangingMax ? Math.min(4, columns >> 2) : hanging)
  const rows: string[] = []
  let row = ''
  let width = 0
  for (const [, space = '', word = ''] of text.matchAll(/( *)([^ ]+)/g)) {
    const added = space.length + displayWidth(word)
    if (width > 0 && width + added > columns) {
      rows.push(row)
      row = indent + word
      width = indent.length + displayWidth(word)
    } else {
      row += space + word
      width += added
    }
  }
  return [...rows, row].join('\n')
}

/** Texts beside each other, in as many columns of one width as fit, row by row. */
export function inColumns(texts: readonly string[], columns: number): string[] {
  const width = Math.max(0, ...texts.map(displayWidth)) + 2
  const each = Math.max(1, Math.floor(columns / width))
  return Array.from({ length: Math.ceil(texts.length / each) }, (_, row) =>
    texts
      .slice(row * each, (row + 1) * each)
      .map((text) => fitTo(text, width))
      .join('')
      .trimEnd(),
  )
}
