// Reads the table of ARCHITECTURE.md that says which part of the sources may import which others.

import { textOf } from './sources.ts'

/** A folder of `src`, without what lies in its subfolders or has a row of its own; or a single file. */
export interface Row {
  /** The path in `src`: `client/prompt`, `client/operations.ts`. */
  readonly part: string
  /** The parts that it may import, besides `common`. */
  readonly imports: readonly string[]
  /** The row as it is written. */
  readonly text: string
}

const header = '| folder or file of `src` | owns | imports, besides `common` |'

/**
 * The rows of the table, in its order. In the last column a name stands for the part of the same program with
 * that name, or for the one of `common`: in a row of the client `storage` is `client/storage`, `wire` is
 * `common/wire`. Throws when the table is not there, or a name stands for no part or for two.
 */
export function importTable(): Row[] {
  const lines = textOf('ARCHITECTURE.md').split('\n')
  const begin = lines.indexOf(header)
  if (begin === -1) throw new Error(`ARCHITECTURE.md has no table with the header ${header}`)
  const after = lines.slice(begin + 2)
  const texts = after.slice(
    0,
    after.findIndex((line) => !line.startsWith('|')),
  )
  const cells = texts.map((text) => text.split('|').map((cell) => cell.trim()))
  const parts = cells.map(([, first = '']) => first.replaceAll('`', ''))
  return cells.map(([, , , last = ''], index) => {
    const [part = '', text = ''] = [parts[index], texts[index]]
    return { part, text, imports: namesIn(last, text).map((name) => partCalled(name, part, parts, text)) }
  })
}

function namesIn(cell: string, text: string): string[] {
  if (cell === 'nothing') return []
  const names = [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '')
  if (names.map((name) => `\`${name}\``).join(', ') !== cell)
    throw new Error(`the last column lists names, or says "nothing": ${text}`)
  return names
}

function partCalled(name: string, part: string, parts: readonly string[], text: string): string {
  const program = part.split('/')[0] ?? ''
  // A part of another program by its whole name.
  const wanted = [name, `${program}/${name}`, `common/${name}`]
  const meant = parts.filter((other) => wanted.includes(other))
  const [only] = meant
  if (only === undefined || meant.length > 1)
    throw new Error(`\`${name}\` stands for ${meant.length} rows of the table, in ${text}`)
  return only
}
