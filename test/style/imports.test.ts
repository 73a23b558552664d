// Holds the imports of all sources against the table of ARCHITECTURE.md. Imports for types alone count too:
// whoever reads a part must know what its types come from.

import { dirname } from 'node:path'
import { expect, test } from 'vitest'
import { importTable, type Row } from './import-table.ts'
import { importedBy, sources } from './sources.ts'

const table = importTable()
const importsFrom = new Map(sources.map((file) => [file, importedBy(file)]))

/** Every import of one source by another, with the rows that they belong to. */
const imports = [...importsFrom].flatMap(([file, others]) =>
  others.map((imported) => ({ file, imported, from: rowOf(file), to: rowOf(imported) })),
)

test('every source has a row in the table, and every row has a source', () => {
  const rowless = sources.filter((file) => rowOf(file) === undefined)
  expect(rowless.map((file) => `${file}: ARCHITECTURE.md has no row for ${dirname(file)}`)).toEqual([])
  const rows = new Set(sources.map(rowOf))
  expect(table.filter((row) => !rows.has(row)).map(({ text }) => `no source belongs to ${text}`)).toEqual([])
})

test('a source imports no more than the row of its folder allows', () => {
  const found = imports
    .filter(({ from, to }) => to !== from && to?.part !== 'common' && !allows(from, to))
    .map(({ file, imported, from }) => `${file} imports ${imported}, against the row ${from?.text}`)
  expect(found).toEqual([])
})

test('a row allows nothing that no source imports', () => {
  const found = table.flatMap((row) =>
    row.imports
      .filter((part) => !imports.some(({ from, to }) => from === row && to?.part === part))
      .map((part) => `nothing in ${row.part} imports from ${part}: take it out of the row ${row.text}`),
  )
  expect(found).toEqual([])
})

// So no folders import each other in a circle, either.
test('a row allows only what stands above it in the table', () => {
  const found = table.flatMap((row, index) =>
    row.imports
      .filter((part) => !table.slice(0, index).some((above) => above.part === part))
      .map((part) => `${part} does not stand above the row ${row.text}`),
  )
  expect(found).toEqual([])
})

test('no sources import each other in a circle', () => {
  const reached = new Map(sources.map((file) => [file, reachedFrom(file)]))
  const circles = sources
    .map((file) => [...(reached.get(file) ?? [])].filter((other) => reached.get(other)?.has(file)).toSorted())
    .filter((circle) => circle.length > 0)
  // Each was found once for every source in it.
  expect([...new Map(circles.map((circle) => [circle.join(), circle])).values()]).toEqual([])
})

/** The row of the file itself, else that of its folder. */
function rowOf(file: string): Row | undefined {
  const path = file.replace(/^src\//, '')
  return table.find(({ part }) => part === path) ?? table.find(({ part }) => part === dirname(path))
}

function allows(from: Row | undefined, to: Row | undefined): boolean {
  return from !== undefined && to !== undefined && from.imports.includes(to.part)
}

/** The sources that this one imports, with those that they import, and so on; itself only by a circle. */
function reachedFrom(file: string): Set<string> {
  const reached = new Set<string>()
  const visit = (from: string): void => {
    for (const next of importsFrom.get(from) ?? []) {
      if (reached.has(next)) continue
      reached.add(next)
      visit(next)
    }
  }
  visit(file)
  return reached
}
