// Reads the tables of PROTOCOL.md that say who may do what.

import { readFileSync } from 'node:fs'

const text = readFileSync(new URL('../../PROTOCOL.md', import.meta.url), 'utf8')

/** By method, then by the head of a column: `yes`, or the code of a refusal. */
export type Rights = ReadonlyMap<string, ReadonlyMap<string, string>>

/**
 * The table whose first head of a column, behind the requests, is this. Throws when there is none, or a method stands
 * in it twice.
 */
export function documentedRights(firstColumn: string): Rights {
  const [head, ...rows] = tableBelow(`| request | ${firstColumn} |`).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
  const columns = head?.slice(1) ?? []
  const rights = new Map<string, ReadonlyMap<string, string>>()
  for (const [methods = '', ...cells] of rows) {
    for (const [, method = ''] of methods.matchAll(/`(\w+)`/g)) {
      if (rights.has(method)) throw new Error(`PROTOCOL.md says twice who may do ${method}`)
      rights.set(
        method,
        new Map(columns.map((column, at) => [column, (cells[at] ?? '').replaceAll('`', '')])),
      )
    }
  }
  return rights
}

/** The lines of a table that begins so, without the one that draws a line. */
function tableBelow(beginning: string): string[] {
  const lines = text.split('\n')
  const begin = lines.findIndex((line) => line.startsWith(beginning))
  if (begin === -1) throw new Error(`PROTOCOL.md has no table that begins with ${beginning}`)
  const rest = lines.slice(begin)
  const table = rest.slice(
    0,
    rest.findIndex((line) => !line.startsWith('|')),
  )
  return table.filter((line) => !line.startsWith('|---'))
}
