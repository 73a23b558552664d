// What people see of transfers: who fetches, how a file stands in its group, and when all have it.

import { afterAll, beforeAll, expect, test } from 'vitest'
import type { EntryView } from '../../src/client/operations.ts'
import { MiB, World } from './world.ts'

let world: World
beforeAll(async () => {
  world = await World.make()
})
afterAll(() => world.close())

test('a seeder sees who fetches, a downloader who has what, and watch ends when nobody online lacks it', async () => {
  const [ann, ben, cem] = await world.users('ann', 'ben', 'cem')
  if (ann === undefined || ben === undefined || cem === undefined) throw new Error('three users')
  await world.group('g', ann, ben, cem)
  const path = world.makeFile('film.bin', 8 * MiB)
  await ann.does(`upload_file ${path} g`)
  expect(await ann.say('show_uploads')).toBe('nobody fetches anything from you')
  await ann.does('limit upload 512K')
  await ben.does(`download_file g film.bin ${world.path('copy.bin')}`)
  await ann.askUntil(
    'show_uploads',
    /^\[g\] film\.bin {2}ben@127\.0\.0\.1 {2}[1-9]\d* bytes {2}\d+ bytes\/s$/,
  )
  const watching = world.run('watching', 'client', [
    ...['127.0.0.1', '0', '127.0.0.1', String(world.trackerPort), '--data-dir', world.path('ben')],
    ...['--json', '-e', 'watch g film.bin'],
  ])
  await ben.untilPieces(2)
  await ann.does('limit upload none')
  expect(await watching.ended()).toEqual({ code: 0, signal: null })
  const reply = watching.lines.map((line) => JSON.parse(line) as { type: string; entry: EntryView })
  expect(reply.find(({ type }) => type === 'reply')).toMatchObject({
    entry: {
      state: 'shared',
      piecesDone: 16,
      audience: {
        whole: expect.arrayContaining(['ann', 'ben']),
        lacking: [],
        absent: ['cem'],
        absentCount: 1,
      },
    },
  })
  expect(watching.stderr).toMatch(/^\[g\] film\.bin: \d+ %, \d+ of 8388608 bytes, in \d+ bytes\/s/)
  expect(await cem.say('watch g film.bin')).toBe(
    'error: you neither share nor download film.bin in g; list_files g lists what there is',
  )
}, 60_000)
