// Which data folder a list of trackers gets, on a real disk.

import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { parseAddress, type Address } from '../../src/common/addresses.ts'
import { Failure } from '../../src/common/failure.ts'
import { logFileIn, rememberCommunity } from '../../src/tracker/community.ts'
import { folderOfList, readKnownFolders, rememberList } from '../../src/tracker/folder-of-list.ts'
import { temporaryFolder } from './support/test-tracker.ts'

beforeEach(() => {
  vi.stubEnv('XDG_DATA_HOME', temporaryFolder())
})
afterEach(() => vi.unstubAllEnvs())

/** Trackers of this machine: `a` is the first of them. */
const listOf = (names: string): Address[] =>
  names.split('').map((name) => parseAddress(`127.0.0.1:${9000 + name.charCodeAt(0)}`))
/** Too many for a name: all that have a letter before this, and it. */
const longList = (last: string): Address[] =>
  listOf('abcdefghijklmnopqrstuvwxyz').slice(0, last.charCodeAt(0) - 96)

const lookUp = (list: Address[]): { path: string; isFoundAgain: boolean } =>
  folderOfList(list, readKnownFolders)

/** What a tracker that starts with the list does: answers its folder. `from` an earlier version leaves no copy. */
function start(list: Address[], { named, copies = true }: { named?: string; copies?: boolean } = {}): string {
  const path = named ?? lookUp(list).path
  mkdirSync(path, { recursive: true })
  writeFileSync(logFileIn(path), 'the log')
  if (copies) rememberList(path, list)
  return path
}

function refusalOf(list: Address[]): string {
  try {
    return `none: ${lookUp(list).path}`
  } catch (error) {
    if (error instanceof Failure) return `${error.code}: ${error.message}`
    throw error
  }
}

describe.each([
  ['of this version', true],
  ['of a version that left no copy of its list', false],
])('the folder %s', (_, copies) => {
  test.each([
    ['got a line at its end', 'a', 'ab'],
    ['got a line at its beginning', 'a', 'ba'],
    ['lost its first line', 'abc', 'bc'],
    ['was put in another order', 'ab', 'ba'],
    ['has one line in common', 'ab', 'bc'],
  ])('is found again by a list that %s', (_change, before, after) => {
    const folder = start(listOf(before), { copies })
    expect(lookUp(listOf(before))).toEqual({ path: folder, isFoundAgain: false })
    expect(lookUp(listOf(after))).toEqual({ path: folder, isFoundAgain: true })
    // Once it has started there it is the folder of this list.
    start(listOf(after))
    expect(lookUp(listOf(after))).toEqual({ path: folder, isFoundAgain: false })
  })

  test('is left alone by a list that has nothing in common with it', () => {
    const folder = start(listOf('ab'), { copies })
    const { path, isFoundAgain } = lookUp(listOf('cd'))
    expect([path === folder, isFoundAgain, dirname(path) === dirname(folder)]).toEqual([false, false, true])
  })

  test('is found again when the log is in NATS and the folder has its memory only', () => {
    const { path } = lookUp(listOf('a'))
    mkdirSync(path, { recursive: true })
    rememberCommunity(path, 'the community')
    if (copies) rememberList(path, listOf('a'))
    expect(lookUp(listOf('ab'))).toEqual({ path, isFoundAgain: true })
  })
})

test('a folder of which the name is a hash is found again by the copy of its list', () => {
  const folder = start(longList('k'))
  expect(folder).toMatch(/tracker-[0-9a-f]{64}$/)
  expect(lookUp(longList('l'))).toEqual({ path: folder, isFoundAgain: true })
  start(longList('l'))
  expect(lookUp(listOf('l'))).toEqual({ path: folder, isFoundAgain: true })
})

test('a folder follows its list through change after change, until nothing of its name is left', () => {
  const folder = start(listOf('a'))
  for (const names of ['ab', 'b', 'bc', 'c']) expect([names, start(listOf(names))]).toEqual([names, folder])
  // The tracker that gave it its name left the list long ago.
  expect(lookUp(listOf('d')).path).not.toBe(folder)
})

test('several folders that may be meant are refused by name, and --data-dir settles it for good', () => {
  const [one, two] = [start(listOf('a')), start(listOf('b'))]
  expect(refusalOf(listOf('ab'))).toBe(
    `usage: several data folders match this list: ${one} and ${two}; name the right one with --data-dir`,
  )
  start(listOf('ab'), { named: two })
  expect(lookUp(listOf('ab'))).toEqual({ path: two, isFoundAgain: false })
  // Each of the others still has its own.
  expect(lookUp(listOf('a'))).toEqual({ path: one, isFoundAgain: false })
})

test('the folder that is called after the list comes before those that share a tracker with it', () => {
  start(listOf('a'))
  const own = join(dirname(lookUp(listOf('a')).path), 'tracker-127.0.0.1_9097+127.0.0.1_9098')
  start(listOf('ab'), { named: own })
  expect(lookUp(listOf('ab'))).toEqual({ path: own, isFoundAgain: false })
})

test('two folders that both had this very list last are refused', () => {
  const [one, two] = [start(listOf('ab')), start(listOf('c'))]
  start(listOf('ab'), { named: two })
  expect(refusalOf(listOf('ab'))).toContain(`${one} and ${two};`)
})

test('two names of one folder are one', () => {
  const folder = start(listOf('a'))
  const link = join(dirname(folder), 'tracker-127.0.0.1_9097+127.0.0.1_9098')
  symlinkSync(folder, link)
  expect(lookUp(listOf('ab'))).toEqual({ path: link, isFoundAgain: false })
  expect(lookUp(listOf('abc'))).toMatchObject({ isFoundAgain: true })
})

test('a folder in which no tracker has got as far as a log is none', () => {
  const folder = start(listOf('a'))
  mkdirSync(join(dirname(folder), 'tracker-127.0.0.1_9098'))
  mkdirSync(join(dirname(folder), 'tracker-127.0.0.1_9097+127.0.0.1_9098'))
  expect(lookUp(listOf('ab'))).toEqual({ path: folder, isFoundAgain: true })
})

test('port 0, which is any port, makes no list known', () => {
  const any = parseAddress('127.0.0.1:0')
  start([any, ...listOf('a')])
  expect(lookUp([any, ...listOf('b')])).toMatchObject({ isFoundAgain: false })
  expect(lookUp([any])).toMatchObject({ isFoundAgain: false })
})

test('where the folders cannot be looked through, that is said', () => {
  const data = temporaryFolder()
  vi.stubEnv('XDG_DATA_HOME', data)
  writeFileSync(join(data, 'coterie'), '')
  expect(refusalOf(listOf('a'))).toBe(
    `data: cannot look for the data of this list in ${data}/coterie: there is a file where a folder is needed`,
  )
})
