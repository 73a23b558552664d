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

test('the client is a few files, that need nothing but Node; other terminals do not read the largest', () => {
  const others = (name: string): string[] => importsOf(name).filter((from) => !isBuiltin(from))
  const imported = others('main.js')
  const shared = imported.filter((name) => /^\.\/chunk-\w+\.js$/.test(name))
  // What is read only by a client of its own: to ask for a salt, and then the rest.
  expect(imported.filter((name) => !shared.includes(name))).toEqual([
    expect.stringMatching(/^\.\/early-salt-\w+\.js$/),
    expect.stringMatching(/^\.\/own-client-\w+\.js$/),
  ])
  expect(shared.length).toBeGreaterThan(0)
  expect(shared.length).toBeLessThan(10)
  for (const name of shared) expect(others(name).every((from) => shared.includes(from))).toBe(true)
})

test('what few users ask for is read only where it is asked for', () => {
  const [own = ''] = importsOf('main.js').filter((from) => from.startsWith('./own-client'))
  const text = readFileSync(new URL(`../../dist/client/${own}`, import.meta.url), 'utf8')
  // The library that asks routers for ports, the server for Prometheus, and the page.
  expect(text).not.toContain('ssdp:discover')
  expect(text).not.toMatch(/from ['"]node:http['"]/)
  expect(text).not.toContain('frame-ancestors')
})
