// What the build makes of the client; the gate builds before it tests.

import { readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { expect, test } from 'vitest'

function importsOf(name: string): string[] {
  const text = readFileSync(new URL(`../../dist/client/${name}`, import.meta.url), 'utf8')
  const pattern = /^(?:import|export)\b[^'"]*['"]([^'"]+)['"]|\bimport\(['"]([^'"]+)['"]\)/gm
  return [...text.matchAll(pattern)].map(([, from, later]) => from ?? later ?? '')
}

test.each(['hash-worker', 'store-worker'])(
  'the client’s %s is one file, that needs nothing but Node',
  (name) => {
    const imported = importsOf(`${name}.js`)
    expect(imported.length).toBeGreaterThan(1)
    expect(imported.filter((from) => !isBuiltin(from))).toEqual([])
  },
)

test('the client is three files, that need nothing but Node; other terminals read two of them', () => {
  const others = (name: string): string[] => importsOf(name).filter((from) => !isBuiltin(from))
  const [own, shared] = [/^\.\/own-client-\w+\.js$/, /^\.\/chunk-\w+\.js$/].map((name) =>
    expect.stringMatching(name),
  )
  const imported = others('main.js')
  expect(imported.toSorted()).toEqual([shared, own])
  for (const name of imported) {
    const further = others(name.replace('./', ''))
    expect(further.every((from) => imported.includes(from))).toBe(true)
  }
})
