// What the build makes of the client; the gate builds before it tests.

import { spawnSync } from 'node:child_process'
import { copyFileSync, cpSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { join } from 'node:path'
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

/** The scripts of the client: the first one, and those that it and others require. */
function scripts(): Map<string, string> {
  const names = readdirSync(new URL('../../dist/client/program', import.meta.url))
  const parts = names.filter((name) => name.endsWith('.cjs')).map((name) => `program/${name}`)
  return new Map(
    ['program.cjs', ...parts].map((name) => [
      name,
      readFileSync(new URL(`../../dist/client/${name}`, import.meta.url), 'utf8'),
    ]),
  )
}

function requiredBy(text: string): string[] {
  return [...text.matchAll(/\brequire\(["']([^"']+)["']\)/g)].map(([, from = '']) => from)
}

test('the client is scripts that need nothing but Node and each other, and a file that starts them', () => {
  expect(importsOf('main.js').filter((from) => !isBuiltin(from))).toEqual([])
  const required = [...scripts()].flatMap(([name, text]) =>
    requiredBy(text).map((from) => (from.startsWith('.') ? join(name, '..', from) : from)),
  )
  expect(required.filter((from) => isBuiltin(from)).length).toBeGreaterThan(20)
  const parts = new Set(required.filter((from) => !isBuiltin(from)))
  expect([...parts, 'program.cjs'].toSorted()).toEqual([...scripts().keys()].toSorted())
})

test('the client’s scripts can be run with what V8 compiled of them', () => {
  for (const text of scripts().values()) {
    // Neither would work in kept code (src/common/kept-code.ts).
    expect(text).not.toMatch(/\bimport\(|\bimport\.meta\b/)
    // It is read byte by byte, which is quick: other characters would become several, and do no harm in comments.
    const others = text.split('\n').filter((line) => /[^\p{ASCII}]/u.test(line))
    expect(others.filter((line) => !/^\s*(\/\*\*|\*|\/\/)/.test(line))).toEqual([])
  }
})

// Another part reads it once (src/common/kept-code.ts).
test('nothing that a part exports is assigned later', () => {
  for (const [name, text] of scripts()) {
    const [, list = ''] = /^__export\(\w+, \{\n(.*?)^\}\);/ms.exec(text) ?? []
    const exported = [...list.matchAll(/\(\) => ([\w$]+)/g)].map(([, local = '']) => local)
    const later = exported.filter((local) =>
      new RegExp(`^(?:let|var) (?:[\\w$]+, )*${local.replaceAll('$', '\\$')}[,;]`, 'm').test(text),
    )
    expect(later.map((local) => `${name}: ${local}`)).toEqual([])
    if (list === '') expect(text).not.toContain('__export(')
  }
})

test('what asks for the salt of the first login is loaded without the client itself', () => {
  const all = scripts()
  const early = new Set<string>()
  const add = (name: string): void => {
    if (early.has(name)) return
    early.add(name)
    // What is imported later is required in a function, behind a promise.
    const text = (all.get(name) ?? '').replaceAll(/\bthen\(\(\) => .*require\(.*/g, '')
    for (const from of requiredBy(text)) if (from.startsWith('.')) add(join(name, '..', from))
  }
  add('program.cjs')
  for (const name of all.keys()) if (name.includes('early-salt')) add(name)
  const bytes = (names: Iterable<string>): number =>
    [...names].reduce((sum, name) => sum + (all.get(name)?.length ?? 0), 0)
  expect([...early].some((name) => name.includes('early-salt'))).toBe(true)
  expect([...early].some((name) => name.includes('first-terminal'))).toBe(false)
  expect(bytes(early)).toBeLessThan(bytes(all.keys()) / 4)
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

// An upgrade takes the parts away from a client that runs, and it said only that there is no such file.
test.each([
  // A command that failed, and a client that could not start.
  ['serving', 'show_page', 3],
  ['first-terminal', 'help', 1],
])('a client whose build was replaced before %s was loaded says so', (part, command, code) => {
  const folder = temporaryFolder()
  const dist = fileURLToPath(new URL('../../dist', import.meta.url))
  cpSync(join(dist, 'client'), join(folder, 'dist', 'client'), { recursive: true })
  copyFileSync(join(dist, '..', 'package.json'), join(folder, 'package.json'))
  const programs = join(folder, 'dist', 'client')
  for (const name of readdirSync(join(programs, 'program')))
    if (name.startsWith(part)) rmSync(join(programs, 'program', name))
  const words = ['127.0.0.1', '0', '127.0.0.1', '1', '--data-dir', join(folder, 'data'), '-e', command]
  const { status, stderr } = spawnSync(process.execPath, [join(programs, 'main.js'), ...words], {
    encoding: 'utf8',
    timeout: 30_000,
  })
  expect(stderr).toBe('error: the program was replaced while it ran; end it and start it again\n')
  expect(status).toBe(code)
})
