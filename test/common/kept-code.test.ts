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
  rmSync,
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
  const line = other.indexOf('\n') + 1
  const spoilt = [
    Buffer.alloc(0),
    other.subarray(0, 40),
    // The line of what lies where.
    Buffer.concat([Buffer.from('{"a":1}\n'), other]),
    Buffer.concat([Buffer.from('[["program.cjs",1e9,"2"],7]\n'), other]),
    ...[
      '["program.cjs",-5,5]',
      '["http://[",0,5]',
      '["../../etc/passwd",0,5]',
      '[7,0,5]',
      'null',
      '[[],0,5]',
    ].map((place) => Buffer.concat([Buffer.from(`[${place}]\n`), other])),
    // The version of V8 is behind that line, the hash and V8's magic number.
    Buffer.concat([other.subarray(0, line + 36), Buffer.alloc(8, 7), other.subarray(line + 44)]),
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

/** A folder whose bundle requires another one where it is asked to. */
function preparedInParts(): string {
  const folder = prepared()
  mkdirSync(join(folder, 'parts'))
  writeFileSync(
    join(folder, 'parts', 'shared.cjs'),
    `exports.made = { by: require('node:path').basename($moduleUrl) }`,
  )
  writeFileSync(
    join(folder, 'parts', 'late.cjs'),
    `exports.isSame = (made) => require('./shared.cjs').made === made`,
  )
  writeFileSync(
    join(folder, 'program.cjs'),
    `const { made } = require('./parts/shared.cjs')
     const isSame = process.argv[2] === 'late' && require('./parts/late.cjs').isSame(made)
     setImmediate(() => console.log(made.by, isSame))`,
  )
  return folder
}

test('parts run once, where they are required, and the code of each is kept when it has run', () => {
  const folder = preparedInParts()
  const kept = join(folder, 'kept.code')
  const steady = (...words: readonly string[]): boolean => {
    const [file, bytes] = [fileAt(kept), readFileSync(kept)]
    expect(run(folder, kept, ...words)).toBe(`program.cjs ${words.length > 0}\n`)
    return fileAt(kept) === file && readFileSync(kept).equals(bytes)
  }
  expect(run(folder, kept)).toBe('program.cjs false\n')
  expect(steady()).toBe(true)
  // The late part is new, and stays when a run does not ask for it.
  expect(steady('late')).toBe(false)
  expect(steady('late')).toBe(true)
  expect(steady()).toBe(true)
  // Another source of one makes the code of that one anew.
  writeFileSync(join(folder, 'parts', 'late.cjs'), `exports.isSame = () => require('./shared.cjs') !== 1`)
  expect(steady()).toBe(true)
  expect(steady('late')).toBe(false)
  expect(steady('late')).toBe(true)
})

// Through getters, as esbuild exports, each use of a constant by another part was a call of a function.
test('what a part exports is read once, when it has run', () => {
  const folder = prepared()
  writeFileSync(
    join(folder, 'counting.cjs'),
    `let reads = 0
     module.exports = {}
     Object.defineProperty(module.exports, 'reads', { get: () => ++reads, enumerable: true })`,
  )
  writeFileSync(
    join(folder, 'program.cjs'),
    `const counting = require('./counting.cjs')
     console.log(counting.reads, counting.reads, require('./counting.cjs').reads)`,
  )
  expect(run(folder, undefined)).toBe('1 1 1\n')
})

test('what was kept of a part that is gone does not stay', () => {
  const folder = preparedInParts()
  const kept = join(folder, 'kept.code')
  const firstLine = (): string | undefined => readFileSync(kept, 'latin1').split('\n')[0]
  run(folder, kept, 'late')
  expect(firstLine()).toContain('parts/late.cjs')
  rmSync(join(folder, 'parts', 'late.cjs'))
  // So that something is kept anew.
  writeFileSync(join(folder, 'parts', 'shared.cjs'), `exports.made = { by: 'program.cjs' }`)
  expect(run(folder, kept)).toBe('program.cjs false\n')
  expect(firstLine()).not.toContain('parts/late.cjs')
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
