// The launcher in the npm package, in a small one whose client only says how it was started, and with a compiler that only
// counts its calls.

import { spawn } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'

const repository = fileURLToPath(new URL('../..', import.meta.url))
const program = `process.stdout.write(JSON.stringify([process.env.COTERIE_COMPILED ?? 'none', process.env.COTERIE_CODE ?? 'none', ...process.argv.slice(1)]))\n`
const compiling = 'Compiling what makes transfers faster (once) …\n'

let root = ''
let cache = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'coterie package-'))
  cache = join(root, 'home', 'cache')
  for (const name of ['scripts', 'client', 'tracker', 'package.json'])
    cpSync(join(repository, name), join(root, name), { recursive: true })
  for (const name of ['client', 'tracker']) {
    mkdirSync(join(root, 'lib', name), { recursive: true })
    writeFileSync(join(root, 'lib', name, 'main.js'), program)
  }
  const sources = join(root, 'lib', 'native', 'client', 'hashing')
  mkdirSync(sources, { recursive: true })
  writeFileSync(join(sources, 'piece-hash.c'), '')
  writeFileSync(join(sources, 'block-match.c'), '')
  mkdirSync(join(root, 'bin'))
  writeFileSync(join(root, 'bin', 'compiler'), `#!/bin/sh\necho called >> '${root}/calls'\nexit 1\n`, {
    mode: 0o755,
  })
})
afterEach(() => {
  rmSync(root, { recursive: true, force: true })
})

interface Started {
  /** Where compiled parts are, where V8's code is kept, and then how the program was called. */
  readonly said: string[]
  readonly stderr: string
}

/** As somebody else's program may have left them. */
const inherited = { COTERIE_COMPILED: '/elsewhere', COTERIE_CODE: '/elsewhere' }

async function start(
  what: 'client' | 'tracker' = 'client',
  CC = join(root, 'bin', 'compiler'),
): Promise<Started> {
  const left = what === 'client' ? inherited : {}
  const env = { ...left, PATH: process.env['PATH'], HOME: join(root, 'home'), XDG_CACHE_HOME: cache, CC }
  const child = spawn(join(root, what), ['a b', '--x'], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const texts = { stdout: '', stderr: '' }
  child.stdout.on('data', (bytes) => (texts.stdout += String(bytes)))
  child.stderr.on('data', (bytes) => (texts.stderr += String(bytes)))
  expect(await once(child, 'close')).toEqual([0, null])
  return { said: JSON.parse(texts.stdout), stderr: texts.stderr }
}

function callsOfCompiler(): number {
  const calls = join(root, 'calls')
  return existsSync(calls) ? readFileSync(calls, 'utf8').split('\n').length - 1 : 0
}

test('the first start compiles, also in vain, into a folder of the user alone; the next one does not', async () => {
  const first = await start()
  const [kind = ''] = readdirSync(join(cache, 'coterie'))
  const folder = join(cache, 'coterie', kind)
  expect(first.said).toEqual([folder, join(cache, 'coterie'), 'coterie', 'a b', '--x'])
  expect(first.stderr).toContain(compiling)
  expect(first.stderr).toMatch(
    /^Known blocks will be looked for in JavaScript, which takes longer: .* failed/m,
  )
  expect(readFileSync(join(folder, 'said.txt'), 'utf8')).toBe(first.stderr.replace(compiling, ''))
  expect([statSync(folder).mode & 0o777, statSync(join(cache, 'coterie')).mode & 0o777]).toEqual([
    0o700, 0o700,
  ])
  const calls = callsOfCompiler()
  expect(calls).toBeGreaterThan(0)
  expect(await start()).toEqual({ said: first.said, stderr: '' })
  expect(callsOfCompiler()).toBe(calls)
  expect(readdirSync(join(cache, 'coterie'))).toEqual([kind])
})

test.each(['', 'no-such-compiler', '/no/such/compiler'])(
  'without a compiler ("%s") nothing is said or made, and only V8’s code is kept',
  async (CC) => {
    const folder = join(cache, 'coterie')
    expect(await start('client', CC)).toEqual({ said: ['none', folder, 'coterie', 'a b', '--x'], stderr: '' })
    expect(existsSync(cache)).toBe(false)
  },
)

test('what others can change is not used', async () => {
  await start()
  const [kind = ''] = readdirSync(join(cache, 'coterie'))
  chmodSync(join(cache, 'coterie', kind), 0o777)
  expect((await start()).said.slice(0, 2)).toEqual(['none', join(cache, 'coterie')])
  chmodSync(join(cache, 'coterie', kind), 0o700)
  chmodSync(join(cache, 'coterie'), 0o777)
  expect((await start()).said.slice(0, 2)).toEqual(['none', 'none'])
})

test('several that start together all run, and use the same', async () => {
  const all = await Promise.all([start(), start(), start()])
  const [kind = '', ...others] = readdirSync(join(cache, 'coterie'))
  expect(others).toEqual([])
  for (const { said } of all) expect(said[0]).toBe(join(cache, 'coterie', kind))
})

test('where the cache cannot be made, the client starts without', async () => {
  mkdirSync(join(root, 'home'))
  writeFileSync(cache, 'a file in its place')
  expect((await start()).said[0]).toBe('none')
})

test('a tracker needs nothing that is compiled', async () => {
  expect(await start('tracker')).toEqual({
    said: ['none', 'none', 'coterie-tracker', 'a b', '--x'],
    stderr: '',
  })
  expect(callsOfCompiler()).toBe(0)
})
