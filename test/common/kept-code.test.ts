// Bundles that run with what V8 compiled of them before; the gate builds before it tests.

import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { version } from '../../src/common/version.ts'
import { temporaryFolder } from '../client/temporary-folder.ts'

const module = new URL('../../dist/common/kept-code.js', import.meta.url).href

const bundle = (word: string): string => `
  const { basename } = require('node:path')
  exports.isWorthKeeping = () => process.argv[2] !== 'short'
  setImmediate(() => console.log('${word}', basename($moduleUrl)))
`

/** A folder with a bundle, and a program that runs it and then works with another flag than V8 has by itself. */
function prepared(): string {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'program.cjs'), bundle('first'))
  writeFileSync(
    join(folder, 'main.mjs'),
    `import { setFlagsFromString } from 'node:v8'
     import { runWithKeptCode } from '${module}'
     const setFlags = () => setFlagsFromString('--stack-size=984')
     runWithKeptCode(new URL('${pathToFileURL(join(folder, 'program.cjs')).href}'), { keptIn: process.env.KEPT_IN, setFlags })
     setFlagsFromString('--stack-size=980')`,
  )
  return folder
}

function run(folder: string, keptIn: string | undefined, ...words: readonly string[]): string {
  const env = { PATH: process.env['PATH'], ...(keptIn !== undefined && { KEPT_IN: keptIn }) }
  return execFileSync(process.execPath, [join(folder, 'main.mjs'), ...words], {
    encoding: 'utf8',
    env,
    timeout: 20_000,
  })
}

/** Another file each time it is written. */
const fileAt = (path: string): number => statSync(path).ino

test('the first run keeps the code, and the next one uses it', () => {
  const folder = prepared()
  const kept = join(folder, 'kept.code')
  expect(run(folder, kept)).toBe('first program.cjs\n')
  const [file, bytes] = [fileAt(kept), readFileSync(kept)]
  expect(statSync(kept).mode & 0o777).toBe(0o644)
  expect(run(folder, kept)).toBe('first program.cjs\n')
  expect(fileAt(kept)).toBe(file)
  expect(readFileSync(kept).equals(bytes)).toBe(true)
  expect(readdirSync(folder).toSorted()).toEqual(['kept.code', 'main.mjs', 'program.cjs'])
})

test('code of another source of the same length, damaged code and code of another V8 is made anew', () => {
  const folder = prepared()
  const kept = join(folder, 'kept.code')
  run(folder, kept)
  const good = readFileSync(kept)
  const middle = Math.floor(good.length / 2)
  writeFileSync(join(folder, 'program.cjs'), bundle('other'))
  expect(run(folder, kept)).toBe('other program.cjs\n')
  const other = readFileSync(kept)
  expect(other.equals(good)).toBe(false)
  const spoilt = [
    Buffer.alloc(0),
    other.subarray(0, 40),
    // The version of V8 is behind the source's hash and V8's magic number.
    Buffer.concat([other.subarray(0, 36), Buffer.alloc(8, 7), other.subarray(44)]),
    Buffer.alloc(100_000, 7),
    // V8 would run it, and crash.
    Buffer.concat([other.subarray(0, middle), Buffer.alloc(64), other.subarray(middle + 64)]),
  ]
  for (const bytes of spoilt) {
    writeFileSync(kept, bytes)
    expect(run(folder, kept)).toBe('other program.cjs\n')
    expect(readFileSync(kept).equals(bytes)).toBe(false)
    const file = fileAt(kept)
    run(folder, kept)
    expect(fileAt(kept)).toBe(file)
  }
})

test('code that others may have written is not run, and code is not written where they can', () => {
  const folder = prepared()
  const kept = join(folder, 'kept.code')
  run(folder, kept)
  chmodSync(kept, 0o666)
  const first = fileAt(kept)
  run(folder, kept)
  // It was made anew, as the next one in place of a link is.
  expect(fileAt(kept)).not.toBe(first)
  const elsewhere = join(temporaryFolder(), 'elsewhere')
  renameSync(kept, elsewhere)
  symlinkSync(elsewhere, kept)
  run(folder, kept)
  expect(lstatSync(kept).isFile()).toBe(true)
  const shared = join(folder, 'shared')
  mkdirSync(shared)
  chmodSync(shared, 0o777)
  run(folder, join(shared, 'kept.code'))
  expect(readdirSync(shared)).toEqual([])
})

test('a run that used little keeps nothing, and where nothing can be kept the program runs all the same', () => {
  const folder = prepared()
  const kept = join(folder, 'kept.code')
  expect(run(folder, kept, 'short')).toBe('first program.cjs\n')
  expect(readdirSync(folder)).not.toContain('kept.code')
  expect(run(folder, undefined)).toBe('first program.cjs\n')
  // Below /proc, Node's own way to make folders never ends.
  const gone = join(folder, 'removed', 'meanwhile', 'kept.code')
  for (const place of [join(folder, 'program.cjs', 'kept.code'), '/proc/none/kept.code', gone])
    expect(run(folder, place)).toBe('first program.cjs\n')
  mkdirSync(kept)
  expect(run(folder, kept)).toBe('first program.cjs\n')
  expect(readdirSync(folder).toSorted()).toEqual(['kept.code', 'main.mjs', 'program.cjs'])
})

test('a client takes what one before it has kept', () => {
  const folder = join(temporaryFolder(), 'not-yet')
  const main = fileURLToPath(new URL('../../dist/client/main.js', import.meta.url))
  const words = [main, '127.0.0.1', '0', '127.0.0.1', '1', '--data-dir', temporaryFolder()]
  const env = { PATH: process.env['PATH'], HOME: folder, COTERIE_CODE: folder }
  expect(execFileSync(process.execPath, [main, '--version'], { encoding: 'utf8', env })).toMatch(/^coterie /)
  expect(existsSync(folder)).toBe(false)
  const start = (): string =>
    execFileSync(process.execPath, words, { encoding: 'utf8', env, input: 'help\n' })
  expect(start()).toContain('download_file')
  const name = `client-${version}-node-${process.version}.code`
  const file = fileAt(join(folder, name))
  expect(statSync(folder).mode & 0o777).toBe(0o700)
  expect(start()).toContain('download_file')
  expect(fileAt(join(folder, name))).toBe(file)
})
