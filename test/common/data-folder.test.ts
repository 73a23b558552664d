import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { defaultDataFolder, makePrivateFolder, replaceFileSync } from '../../src/common/data-folder.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'coterie-data-'))
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true, force: true })
})

test('a file is written and replaced whole, and nothing else is left in the folder', () => {
  const path = join(folder, 'state')
  replaceFileSync(path, 'first, and longer')
  replaceFileSync(path, Buffer.from('second'))
  expect(readFileSync(path, 'utf8')).toBe('second')
  expect(readdirSync(folder)).toEqual(['state'])
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

test('a file that cannot be replaced stays as it was, and nothing is left beside it', () => {
  const path = join(folder, 'taken')
  mkdirSync(path)
  writeFileSync(join(path, 'inside'), 'x')
  expect(() => replaceFileSync(path, 'new')).toThrow('EISDIR')
  expect(readdirSync(folder)).toEqual(['taken'])
  expect(readFileSync(join(path, 'inside'), 'utf8')).toBe('x')
})

test('content that cannot be written changes nothing, and nothing is left beside it', () => {
  const path = join(folder, 'state')
  replaceFileSync(path, 'good')
  expect(() => replaceFileSync(path, 5 as unknown as string)).toThrow('argument')
  expect(readFileSync(path, 'utf8')).toBe('good')
  expect(readdirSync(folder)).toEqual(['state'])
})

test('a missing folder is an error', () => {
  expect(() => replaceFileSync(join(folder, 'no', 'state'), 'x')).toThrow('ENOENT')
})

test('a private folder is for its owner only', () => {
  const path = join(folder, 'a', 'b')
  makePrivateFolder(path)
  makePrivateFolder(path)
  expect(statSync(path).mode & 0o777).toBe(0o700)
})

test('data lives under XDG_DATA_HOME where that is an absolute path, else in the home folder', () => {
  vi.stubEnv('XDG_DATA_HOME', folder)
  expect(defaultDataFolder('client')).toBe(join(folder, 'coterie', 'client'))
  const home = join(homedir(), '.local', 'share', 'coterie', 'client')
  vi.stubEnv('XDG_DATA_HOME', 'relative/path')
  expect(defaultDataFolder('client')).toBe(home)
  vi.stubEnv('XDG_DATA_HOME', '')
  expect(defaultDataFolder('client')).toBe(home)
})
