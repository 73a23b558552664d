// Logs and data folders of earlier versions, and trackers of different versions on one log.

import { copyFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { pino } from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import type { Failure } from '../../src/common/failure.ts'
import { DatabaseSync } from '../../src/tracker/log/sqlite-engine.ts'
import { SqliteLog } from '../../src/tracker/log/sqlite-log.ts'
import { Sequencer } from '../../src/tracker/sequencer.ts'
import { newestLevel } from '../../src/tracker/state/levels.ts'
import { takeLegacySnapshot } from '../../src/tracker/state/legacy-snapshot.ts'
import { changedSections, digestOf } from '../../src/tracker/state/sections.ts'
import { wordsOf } from '../../src/tracker/requests/sentences.ts'
import { commandsPerSnapshot } from '../../src/tracker/limits.ts'
import { startTracker, type Tracker } from '../../src/tracker/tracker.ts'
import { TestClient } from './support/test-client.ts'
import { temporaryFolder } from './support/test-tracker.ts'

/** Written by earlier versions: a log without a snapshot, one with a snapshot in its middle, and what they come to. */
const folderOf = (version: string): string =>
  fileURLToPath(new URL(`../data/tracker-${version}/`, import.meta.url))
const stateOf = (version: string) => JSON.parse(readFileSync(join(folderOf(version), 'state.json'), 'utf8'))

function byFirst([one]: readonly unknown[], [other]: readonly unknown[]): number {
  return String(one) < String(other) ? -1 : 1
}

/** A copy of it. */
function dataFolderOf(version: string, which: string): string {
  const folder = temporaryFolder()
  copyFileSync(join(folderOf(version), `${which}.sqlite`), join(folder, 'log.sqlite'))
  return folder
}

async function read(path: string): Promise<Sequencer> {
  const log = new SqliteLog(path)
  onTestFinished(() => log.close())
  const fail = (trouble: unknown): never => {
    throw new Error(String(trouble))
  }
  const events = {
    onApplied: () => undefined,
    onStateReplaced: () => undefined,
    onTrouble: fail,
    onLost: fail,
  }
  const sequencer = new Sequencer(log, events)
  await sequencer.start()
  return sequencer
}

/** Ends with the test. */
async function run(
  dataFolder: string,
  number: number,
  level?: number,
): Promise<{ tracker: Tracker; losses: Failure[] }> {
  const losses: Failure[] = []
  const tracker = await startTracker({
    address: { host: '127.0.0.1', port: 0 },
    number,
    dataFolder,
    ...(level === undefined ? {} : { level }),
    log: pino({ level: 'silent' }),
    onLost: (failure) => losses.push(failure),
  })
  onTestFinished(() => tracker.close())
  return { tracker, losses }
}

test.each(['entries', 'snapshot'])('a log of version 0.1 (%s) is read to the letter', async (which) => {
  const sequencer = await read(join(dataFolderOf('0.1', which), 'log.sqlite'))
  const { known: _known, groups, ...rest } = JSON.parse(takeLegacySnapshot(sequencer.state, wordsOf))
  const { groups: expectedGroups, ...expected } = stateOf('0.1')
  expect(rest).toEqual(expected)
  // In a group the files came in the order of sharing.
  const sorted = (all: [string, string[], string[], [string][]][]): unknown =>
    all
      .map(([name, members, requests, files]) => [name, members, requests, files.toSorted(byFirst)])
      .toSorted(byFirst)
  expect(sorted(groups)).toEqual(sorted(expectedGroups))
})

test.each(['entries', 'snapshot'])('a log of level 2 (%s) is read to the letter', async (which) => {
  const { state } = await read(join(dataFolderOf('level-2', which), 'log.sqlite'))
  const { digest, sections } = stateOf('level-2')
  expect(Object.fromEntries(changedSections(state, 0))).toEqual(sections)
  expect(digestOf(state)).toBe(digest)
})

test('both logs of version 0.1 come to one state at every level', async () => {
  const digests: string[] = []
  for (const which of ['entries', 'snapshot']) {
    const sequencer = await read(join(dataFolderOf('0.1', which), 'log.sqlite'))
    digests.push(digestOf(sequencer.state))
    await sequencer.submit({ kind: 'raise_level', level: 2 })
    digests.push(digestOf(sequencer.state))
  }
  expect(digests[2]).toBe(digests[0])
  expect(digests[3]).toBe(digests[1])
})

test('both logs of level 2 come to one state at the next', async () => {
  const digests: string[] = []
  for (const which of ['entries', 'snapshot']) {
    const sequencer = await read(join(dataFolderOf('level-2', which), 'log.sqlite'))
    await sequencer.submit({ kind: 'raise_level', level: 3 })
    digests.push(digestOf(sequencer.state))
  }
  expect(digests[1]).toBe(digests[0])
})

test('a data folder of version 0.1 is served, once its trackers are all updated or known to be gone', async () => {
  const folder = dataFolderOf('0.1', 'snapshot')
  const { tracker } = await run(folder, 1)
  const ann = await TestClient.connect(tracker.address)
  await ann.hello()
  expect(await ann.login('ann', 'secret')).toMatchObject({ ok: true })
  expect(await ann.request('list_files', { group: 'family' })).toMatchObject({
    value: { files: [{ name: 'holiday.jpg' }, { name: 'notes.txt', sizeBytes: 701 }] },
  })
  expect(tracker.status()).toContain('level 1')
  for (const key of ['A', 'B']) expect(await tracker.operator.revoke(key.repeat(43))).toBe('done')
  await expect.poll(() => tracker.status()).toContain(`level ${newestLevel}`)
  expect(await ann.change('create_group', { group: 'more' })).toMatchObject({ ok: true })
  // At the next start at the latest what was one text is in sections.
  const digest = tracker.digest()
  await tracker.close()
  const again = await run(folder, 1)
  expect(again.tracker.digest()).toBe(digest)
  await again.tracker.close()
  const database = new DatabaseSync(join(folder, 'log.sqlite'))
  expect(database.prepare('SELECT count(*) > 3 AS several FROM sections').get()).toEqual({ several: 1 })
  database.close()
})

test('after the level was raised, a start reads sections, and a tracker of version 0.1 refuses the file', async () => {
  const folder = temporaryFolder()
  const { tracker } = await run(folder, 1)
  const ann = await TestClient.loggedIn(tracker.address, 'ann')
  await ann.change('create_group', { group: 'g' })
  for (let first = 0; first < commandsPerSnapshot; first += 500) {
    const names = Array.from({ length: 500 }, (_, index) => `f${first + index}`)
    const fileId = 'ab'.repeat(32)
    await Promise.all(
      names.map((name) => ann.change('share_file', { group: 'g', name, fileId, sizeBytes: 1 })),
    )
  }
  const digest = tracker.digest()
  await tracker.close()
  const database = new DatabaseSync(join(folder, 'log.sqlite'))
  expect(database.prepare('PRAGMA user_version').get()).toEqual({ user_version: 2 })
  database.close()
  const again = await run(folder, 1)
  expect(again.tracker.digest()).toBe(digest)
})

test('the newer of two trackers waits with its rules until the older one is updated', async () => {
  const folder = temporaryFolder()
  const older = await run(folder, 1, 1)
  const newer = await run(folder, 2, 2)
  expect(newer.tracker.status()).toContain('level 1')
  const ann = await TestClient.loggedIn(newer.tracker.address, 'ann')
  expect(await ann.change('create_group', { group: 'g' })).toMatchObject({ ok: true })
  expect(newer.tracker.digest()).toBe(older.tracker.digest())
  await older.tracker.close()
  const updated = await run(folder, 1, 2)
  await expect.poll(() => newer.tracker.status()).toContain('level 2')
  await expect.poll(() => updated.tracker.status()).toContain('level 2')
  expect(newer.tracker.digest()).toBe(updated.tracker.digest())
  expect([older.losses, newer.losses]).toEqual([[], []])
})

test('a tracker that cannot follow a new level ends with a sentence, when it comes and when it starts', async () => {
  const folder = temporaryFolder()
  const older = await run(folder, 1, 1)
  const newer = await run(folder, 2, 2)
  // Its operator says that the older one is gone, and is wrong.
  expect(await newer.tracker.operator.revoke('1')).toBe('done')
  await expect.poll(() => newer.tracker.status()).toContain('level 2')
  const sentence = 'the trackers of this community are at level 2, and this one knows only 1; update it'
  await expect.poll(() => older.losses.map(({ message }) => message)).toEqual([sentence])
  await expect(run(folder, 1, 1)).rejects.toThrow(sentence)
  expect(newer.losses).toEqual([])
})
