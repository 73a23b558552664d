// The launchers, in a small copy of the repository whose programs only say what they got.

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'

const repository = fileURLToPath(new URL('../..', import.meta.url))
const program = `import { word } from './word.ts'
process.stdout.write(JSON.stringify([word, ...process.argv.slice(1)]))
process.stdin.pipe(process.stdout)
`

let root = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'coterie launch-'))
  for (const name of ['scripts', 'tracker', 'client', 'package.json', 'package-lock.json', 'tsconfig.json']) {
    cpSync(join(repository, name), join(root, name), { recursive: true, preserveTimestamps: true })
  }
  symlinkSync(join(repository, 'node_modules'), join(root, 'node_modules'))
  mkdirSync(join(root, 'src', 'tracker'), { recursive: true })
  write('main.ts', program)
  write('word.ts', "export const word: string = 'one'\n")
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

function write(name: string, text: string): void {
  writeFileSync(join(root, 'src', 'tracker', name), text)
}

interface Ended {
  readonly stdout: string
  readonly stderr: string
  readonly code: number | null
}

function start(
  command: string,
  args: readonly string[],
  options = {},
): { child: ChildProcess; ended: Promise<Ended> } {
  const child = spawn(command, args, { stdio: 'pipe', ...options })
  const texts = { stdout: '', stderr: '' }
  child.stdout.on('data', (bytes) => (texts.stdout += String(bytes)))
  child.stderr.on('data', (bytes) => (texts.stderr += String(bytes)))
  const ended = once(child, 'close').then(([code]) => ({ ...texts, code: code as number | null }))
  return { child, ended }
}

/** Runs `./tracker` with these words and this on its standard input. */
function tracker(words: readonly string[] = [], input = '', file = join(root, 'tracker')): Promise<Ended> {
  const { child, ended } = start(file, words)
  child.stdin?.end(input)
  return ended
}

test('the first start builds, and words and standard input reach the program', async () => {
  const first = await tracker(['a', 'b c', '--x=1', ''], 'line 1\nline 2\n')
  expect(first).toEqual({
    stdout: `${JSON.stringify(['one', './tracker', 'a', 'b c', '--x=1', ''])}line 1\nline 2\n`,
    stderr: '',
    code: 0,
  })
})

test('without a C compiler the build says in one line what is missing, and is complete', async () => {
  const hashing = join('src', 'client', 'hashing')
  mkdirSync(join(root, hashing), { recursive: true })
  cpSync(join(repository, hashing, 'piece-hash.c'), join(root, hashing, 'piece-hash.c'))
  const { child, ended } = start(join(root, 'tracker'), [], {
    env: { ...process.env, CC: 'no-such-compiler' },
  })
  child.stdin?.end()
  const { stdout, stderr, code } = await ended
  expect({ stdout, code }).toEqual({ stdout: '["one","./tracker"]', code: 0 })
  expect(stderr).toMatch(/^Pieces will be hashed by Node alone, which takes longer: .+\n$/)
})

test('a second start builds nothing; a changed source is built, and a deleted one leaves no trace', async () => {
  await tracker()
  const built = (): number => statSync(join(root, 'dist', '.stamp')).mtimeMs
  const before = built()
  await tracker()
  expect(built()).toBe(before)

  write('other.ts', "export const word: string = 'other'\n")
  write('main.ts', program.replace('word.ts', 'other.ts'))
  rmSync(join(root, 'src', 'tracker', 'word.ts'))
  expect((await tracker()).stdout).toContain('other')
  expect(readdirSync(join(root, 'dist', 'tracker')).filter((name) => name.endsWith('.js'))).toEqual([
    'main.js',
    'other.js',
  ])
})

test('a launcher works through symbolic links, absolute and relative, from any folder', async () => {
  mkdirSync(join(root, 'bin'))
  symlinkSync('../tracker', join(root, 'bin', 'relative'))
  symlinkSync(join(root, 'bin', 'relative'), join(root, 'bin', 'absolute'))
  expect((await tracker(['x'], '', join(root, 'bin', 'absolute'))).stdout).toBe('["one","./tracker","x"]')
  const inside = await start('sh', ['tracker', 'y'], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] }).ended
  expect(inside.stdout).toBe('["one","./tracker","y"]')
})

test('a source that does not compile is reported on standard error, and the last build stays', async () => {
  await tracker()
  write('word.ts', 'export const word: string = 5\n')
  const broken = await tracker()
  expect(broken).toMatchObject({ code: 1, stdout: '' })
  expect(broken.stderr).toContain("Type 'number' is not assignable to type 'string'")
  expect(existsSync(join(root, 'dist', 'tracker', 'main.js'))).toBe(true)
  write('word.ts', "export const word: string = 'mended'\n")
  expect((await tracker()).stdout).toContain('mended')
})

test('several that start together all run, after one build', async () => {
  const all = await Promise.all(['1', '2', '3'].map((word) => tracker([word])))
  expect(all.map(({ stdout }) => stdout)).toEqual(
    ['1', '2', '3'].map((word) => `["one","./tracker","${word}"]`),
  )
  expect(
    readdirSync(root).filter((name) => /lock-|dist\./.test(name) && name !== 'package-lock.json'),
  ).toEqual([])
})

test('what a killed start has left behind blocks nobody', async () => {
  const gone = spawn(process.execPath, ['-e', ''])
  await once(gone, 'close')
  writeFileSync(join(root, `.coterie-lock-${gone.pid}`), '')
  mkdirSync(join(root, 'dist.next', 'tracker'), { recursive: true })
  writeFileSync(join(root, 'dist.next', 'tracker', 'stale.js'), '')
  expect(await tracker()).toMatchObject({ code: 0, stderr: '' })
  expect(existsSync(join(root, 'dist', 'tracker', 'stale.js'))).toBe(false)
})

test('a start waits for another that is building, and says so', async () => {
  const other = spawn(process.execPath, ['-e', 'process.stdin.resume()'], { stdio: 'pipe' })
  writeFileSync(join(root, `.coterie-lock-${other.pid}`), '')
  const { child, ended } = start(join(root, 'tracker'), [])
  child.stdin?.end()
  if (child.stderr === null) throw new Error('no standard error')
  const [said] = await once(child.stderr, 'data')
  expect(String(said)).toBe(`waiting for process ${other.pid}, which is installing or building Coterie\n`)
  other.kill()
  expect(await ended).toMatchObject({ code: 0, stdout: '["one","./tracker"]' })
})

const folders = { bench: 'bench', campaign: join('test', 'campaigns') }
test.each(Object.entries(folders))(
  'a %s gets its words after the build, and its exit code is that of the launcher',
  async (kind, folder) => {
    mkdirSync(join(root, folder), { recursive: true })
    writeFileSync(
      join(root, folder, 'sample.ts'),
      `import { existsSync } from 'node:fs'
const words: string[] = process.argv.slice(2)
process.stdout.write(JSON.stringify([existsSync('dist/tracker/main.js'), ...words]))
process.exitCode = 3
`,
    )
    const launcher = join(root, 'scripts', 'launch.mjs')
    const { ended } = start(process.execPath, [launcher, kind, 'sample', '--', 'a b'], { cwd: tmpdir() })
    expect(await ended).toEqual({ stdout: '[true,"--","a b"]', stderr: '', code: 3 })
  },
)

test.each(['nonsense', '', '../../main'])(
  'a bench or campaign called "%s" is refused in one sentence',
  async (name) => {
    for (const kind of Object.keys(folders)) {
      const { ended } = start(process.execPath, [join(root, 'scripts', 'launch.mjs'), kind, name])
      expect(await ended).toEqual({
        stdout: '',
        stderr: `error: there is no ${kind} called "${name}"; package.json lists them\n`,
        code: 1,
      })
    }
  },
)

test('a program that crashes leaves no file of its memory', async () => {
  // In the place of Node.
  const folder = join(root, 'bin')
  mkdirSync(folder)
  writeFileSync(join(folder, 'node'), '#!/bin/sh\nulimit -c\n', { mode: 0o755 })
  const env = { ...process.env, PATH: `${folder}:${process.env['PATH']}` }
  for (const what of ['tracker', 'client']) {
    const launcher = join(root, what)
    const { stdout } = await start('sh', ['-c', `ulimit -c unlimited; exec '${launcher}'`], { env }).ended
    expect(stdout).toBe('0\n')
  }
})

test('without Node a launcher says what is missing', async () => {
  const { ended } = start('/bin/sh', [join(root, 'client')], { env: { PATH: '/nonexistent' } })
  expect(await ended).toEqual({
    stdout: '',
    stderr: 'error: Coterie needs Node.js 20.20 or newer, and there is no node on this computer\n',
    code: 1,
  })
})
