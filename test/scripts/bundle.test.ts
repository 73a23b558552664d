// What the build makes of the client; the gate builds before it tests.

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../client/temporary-folder.ts'

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

test('the client is a script that needs nothing but Node, and a file that starts it', () => {
  expect(importsOf('main.js').filter((from) => !isBuiltin(from))).toEqual([])
  const text = readFileSync(new URL('../../dist/client/program.cjs', import.meta.url), 'utf8')
  const required = [...text.matchAll(/\brequire\(["']([^"']+)["']\)/g)].map(([, from = '']) => from)
  expect(required.length).toBeGreaterThan(20)
  expect(required.filter((from) => !isBuiltin(from))).toEqual([])
  // Neither would work in kept code (src/common/kept-code.ts).
  expect(text).not.toMatch(/\bimport\(/)
  // It is read byte by byte, which is quick: other characters would become several, and do no harm in comments.
  const others = text.split('\n').filter((line) => /[^\p{ASCII}]/u.test(line))
  expect(others.filter((line) => !/^\s*(\/\*\*|\*|\/\/)/.test(line))).toEqual([])
})

test('what few users ask for is loaded only where it is asked for', () => {
  const folder = temporaryFolder()
  const main = fileURLToPath(new URL('../../dist/client/main.js', import.meta.url))
  const said = `data:text/javascript,process.on('exit', () => console.error(process.moduleLoadList.join()))`
  const words = ['--import', said, main, '127.0.0.1', '0', '127.0.0.1', '1', '--data-dir', folder]
  const { status, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8', input: 'help\n' })
  expect(status).toBe(0)
  const loaded = stderr.split(',')
  expect(loaded).toContain('NativeModule net')
  // For the page and for Prometheus.
  expect(loaded).not.toContain('NativeModule http')
})
