// The documents are true: sessions are played, commands and options are all there, and links lead somewhere.

import { copyFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { recordedEveryMs, recordedLines } from '../../bench/recorded-session.ts'
import { terminalPicture } from '../../bench/terminal-picture.ts'
import { watchedLines } from '../../bench/watched-entry.ts'
import { remoteNames } from '../../src/client/control/protocol.ts'
import { fullUsageOf } from '../../src/client/prompt/commands/command.ts'
import { allCommands } from '../../src/client/prompt/commands/program.ts'
import { manualFiles } from '../../src/manual/pages.ts'
import { addressIn, blocksOf, chapterOf } from './console-blocks.ts'
import { linksToNothing } from './document-links.ts'
import { Stage } from './transcript.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const read = (...path: string[]): string => readFileSync(join(root, ...path), 'utf8')
const readme = read('README.md')
const scripting = read('docs', 'scripting.md')

function stage(): Stage {
  const made = new Stage()
  onTestFinished(() => made.close())
  return made
}

describe('the first session', () => {
  const session = blocksOf(read('docs', 'first-session.md'))

  test('has a tracker on the first address of tracker_info.txt, two people and a shell', () => {
    expect([...new Set(session.map(({ where }) => where))].toSorted()).toEqual(['A', 'B', 'C', 'shell'])
    const first = /^[^#\n]+$/m.exec(read('tracker_info.txt'))?.[0]
    expect(addressIn(session, 'A')).toBe(first)
  })

  test('goes as the document shows it, line by line', async () => {
    await expect(stage().play(session)).resolves.toBeUndefined()
  }, 120_000)

  test('the script does what the document shows, and exits with 0', async () => {
    const tracker = session.find(({ where }) => where === 'A')
    if (tracker === undefined) throw new Error('the first session has no tracker')
    const blocks = blocksOf(chapterOf(scripting, 'A script in a pipe'))
    expect(blocks).toHaveLength(1)
    await stage().play([tracker, ...blocks])
  }, 60_000)
})

describe('README', () => {
  test('whoever types what it says has the file in the end', async () => {
    const made = stage()
    copyFileSync(join(root, 'README.md'), join(made.folder, 'README.md'))
    await made.follow(blocksOf(chapterOf(readme, 'Start in five minutes')))
    await made.at('C').sees('[C] [family] README.md')
    expect(readFileSync(join(made.folder, 'tmp', 'README.md'), 'utf8')).toBe(readme)
  }, 120_000)

  test('takes two screens', () => {
    expect(readme.split('\n').length).toBeLessThanOrEqual(100)
  })
})

describe('the reference', () => {
  test('has the reply of each command with its words and flags, and of no other', () => {
    const chapter = chapterOf(scripting, 'Replies')
    const rows = [...chapter.matchAll(/^\| `([^`]+)` \| \S/gm)].map((row) =>
      (row[1] ?? '').replaceAll('\\|', '|'),
    )
    expect(rows.toSorted()).toEqual(allCommands.map(fullUsageOf).toSorted())
    for (const { alias } of allCommands) if (alias !== undefined) expect(chapter).toContain(`\`${alias}\``)
  })

  test.each([...manualFiles(root)])('%s is what npm run manual makes of the tables', (path, text) => {
    expect(read(path)).toBe(text)
  })
})

test('docs/watch.svg is what npm run picture draws of what watch prints', () => {
  const picture = read('docs', 'watch.svg')
  expect(picture).toBe(terminalPicture(watchedLines))
  const shown = [...picture.matchAll(/<text [^>]*>(.*)<\/text>/g)].map(([, text = '']) => text)
  expect(shown).toEqual(watchedLines.map(({ text }) => text))
})

test('docs/session.svg is what npm run picture draws of the first session, which is played above', () => {
  const picture = read('docs', 'session.svg')
  expect(picture).toBe(terminalPicture(recordedLines, { everyMs: recordedEveryMs }))
  expect(picture.match(/<text /g)).toHaveLength(recordedLines.length)
})

test('the example of the library is the file that a test runs', () => {
  const [, code] = /^```js\n([^]*?)^```$/m.exec(read('docs', 'library.md')) ?? []
  expect(code).toBe(read('docs', 'examples', 'fetch-new.mjs'))
})

test('the document of the library names each command that has no method of its name, and no other', () => {
  const table = chapterOf(read('docs', 'library.md'), 'Operations')
  const cells = [...table.matchAll(/^\| (`[^|]+) \|/gm)].map(([, cell = '']) => cell)
  const named = cells.flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].map(([, name = '']) => name))
  const methods: string[] = [...remoteNames, 'whoami', 'events']
  const others = allCommands.map(({ name }) => name).filter((name) => !methods.includes(camelCase(name)))
  expect(named.toSorted()).toEqual(others.toSorted())
})

function camelCase(name: string): string {
  return name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase())
}

test('what the documents point to is there', () => {
  expect(linksToNothing(root)).toEqual([])
})
