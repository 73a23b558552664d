// What is said of folders and versions.

import { expect, test } from 'vitest'
import type { Operations } from '../../../src/client/operations.ts'
import { accept } from '../../../src/common/refusal.ts'
import { fakeClient } from './fake-operations.ts'
import { runScript } from './script.ts'

async function reply(line: string, answers: Partial<Operations>) {
  const client = fakeClient()
  Object.assign(client.answers, answers)
  return runScript([line], { client })
}

test('folders have a slash and a number of files, details and versions say when and by whom if known', async () => {
  const atMs = new Date(2026, 4, 12, 9, 5).getTime()
  const origin = { version: 2, atMs, by: 'ann' }
  const files = [
    {
      name: 'a',
      sizeBytes: 1,
      seeders: 1,
      details: { fileId: '0'.repeat(64), version: 1, atMs: 0, by: '' },
    },
    { name: 'b', sizeBytes: 9, seeders: 2, files: 3, details: { fileId: '0'.repeat(64), ...origin } },
  ]
  expect((await reply('list_files g1 --details', { listFiles: async () => accept(files) })).lines).toEqual([
    'a  1 byte  1 seeder  version 1',
    'b/  3 files  9 bytes  2 seeders  version 2  2026-05-12 09:05  by ann',
  ])
  const versions = [
    { fileId: '0'.repeat(64), sizeBytes: 9, files: 3, ...origin },
    { fileId: '1'.repeat(64), sizeBytes: 4, version: 1, atMs: 0, by: '' },
  ]
  expect((await reply('list_versions g1 b', { listVersions: async () => accept(versions) })).lines).toEqual([
    'version 2  3 files  9 bytes  2026-05-12 09:05  by ann',
    'version 1  4 bytes',
  ])
})

test('upload_file says of a folder how many files it has, what it left out and what it replaces', async () => {
  const shared = { name: 'photos', group: 'g1', sizeBytes: 2000, files: 2, pieceCount: 2 }
  const uploadFile: Operations['uploadFile'] = async () =>
    accept({
      ...shared,
      skipped: { paths: ['a link', 'b/pipe'], count: 5 },
      replaces: { path: '/photos', sizeBytes: 1000, isElsewhere: false, version: 3, atMs: 0 },
    })
  expect((await reply('upload_file photos g1 --skip-special', { uploadFile })).lines).toEqual([
    'sharing photos/ in g1 (2 files, 2000 bytes, 2 pieces)',
    'left out: a link, b/pipe and 3 more',
    'it replaces version 3',
  ])
})

test('what is in a folder has sizes and times, a star where it may be run, and a slash where nothing is in it', async () => {
  const mtimeSeconds = new Date(2026, 4, 12, 9, 5).getTime() / 1000
  const entries = [
    { path: 'bin/run.sh', kind: 'executable', sizeBytes: 40, mtimeSeconds },
    { path: 'later', kind: 'folder' },
    { path: 'read me', kind: 'file', sizeBytes: 1, mtimeSeconds },
  ] as const
  const listFolder: Operations['listFolder'] = async () => accept([...entries])
  const client = fakeClient()
  client.answers.listFolder = listFolder
  expect((await runScript(['list_files g1 photos/'], { client })).lines).toEqual([
    'bin/run.sh*  40 bytes  2026-05-12 09:05',
    'later/',
    'read me  1 byte  2026-05-12 09:05',
  ])
  expect(client.calls[0]).toBe('listFolder("g1", "photos/")')
  expect((await reply("list_files g1 'photos/**/*.jpg'", {})).lines).toEqual([
    'nothing is in photos/**/*.jpg',
  ])
})

test('a folder of many files is listed while others have their turn', async () => {
  const entries = Array.from({ length: 20_000 }, (_, index) => {
    return { path: `file ${index}`, kind: 'file', sizeBytes: index, mtimeSeconds: 0 } as const
  })
  let turns = 0
  let next: NodeJS.Immediate
  const count = (): void => {
    turns++
    next = setImmediate(count)
  }
  next = setImmediate(count)
  const { lines } = await reply('list_files g1 photos/', { listFolder: async () => accept(entries) })
  clearImmediate(next)
  expect([lines.length, lines.at(-1)?.startsWith('file 19999  19999 bytes  ')]).toEqual([20_000, true])
  // Making the rows, and writing them.
  expect(turns).toBeGreaterThan(30)
})
