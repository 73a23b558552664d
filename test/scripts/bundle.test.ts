// What the build makes of the client; the gate builds before it tests.

import { readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { expect, test } from 'vitest'

const files = ['main', 'hash-worker', 'store-worker']

test.each(files)('the client’s %s is one file, that needs nothing but Node', (name) => {
  const text = readFileSync(new URL(`../../dist/client/${name}.js`, import.meta.url), 'utf8')
  const imported = [...text.matchAll(/^(?:import|export)\b[^'"]*['"]([^'"]+)['"]/gm)].map(([, from]) => from)
  expect(imported.length).toBeGreaterThan(1)
  expect(imported.filter((from) => from === undefined || !isBuiltin(from))).toEqual([])
})
