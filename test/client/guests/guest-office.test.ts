// What guests get by a link, and in which order the uploads of a client are sent beside it.

import { createHash } from 'node:crypto'
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { linkLimits } from '../../../src/client/guests/limits.ts'
import { pieceBytes } from '../../../src/common/limits.ts'
import { manifestOf, sampleBytes } from '../sharing/sample-file.ts'
import { FakePeer } from '../sharing/fake-peer.ts'
import { piece } from '../sharing/upload-requests.ts'
import { entriesOf, foundIn, folderSample, textsOf, type Contents } from '../swarm/folder-sample.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { ann, begun, fetched, guest, oneOffice } from './one-office.ts'

function file(sizeBytes: number): { content: Buffer; manifest: ReturnType<typeof manifestOf> } {
  const content = sampleBytes(sizeBytes)
  return { content, manifest: manifestOf(content) }
}

/** Far longer than anything here takes, also on a machine that is busy with other tests. */
const patienceMs = 30_000
const size = 3 * pieceBytes + 77
const contents: Contents = {
  'a/large.bin': sampleBytes(2 * pieceBytes + 3, 7),
  'b c/ünï.txt': Buffer.from('small'),
  'run.sh': Buffer.from('#!/bin/sh\n'),
  empty: Buffer.alloc(0),
  'nothing in it': undefined,
  [`${'long/'.repeat(40)}name`]: Buffer.from('deep'),
  ...Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`many/${at}`, Buffer.from(`file ${at}`)])),
}

test('a file comes whole, and each part of it is that part', async () => {
  const one = await oneOffice(file(size))
  expect((await fetched(one)).equals(one.content)).toBe(true)
  for (const [from, to] of [
    [0, 1],
    [size - 1, size],
    [pieceBytes - 1, pieceBytes + 1],
    [pieceBytes, 2 * pieceBytes],
    [5, size - 5],
  ] as const)
    expect((await fetched(one, { from, to })).equals(one.content.subarray(from, to))).toBe(true)
  expect(one.failures).toEqual([])
})

test('an empty file comes, and counts', async () => {
  const one = await oneOffice(file(0))
  expect(await fetched(one)).toHaveLength(0)
  expect(one.link.record.uses).toBe(1)
})

test('nothing of a piece is sent that is not what was shared, also where nobody noticed a change', async () => {
  const one = await oneOffice(file(size))
  one.content.writeUInt8(1 ^ one.content.readUInt8(pieceBytes + 5), pieceBytes + 5)
  expect((await fetched(one, { to: pieceBytes })).equals(one.content.subarray(0, pieceBytes))).toBe(true)
  await expect(fetched(one)).rejects.toThrow('the file changed on disk')
  await expect(fetched(one, { from: pieceBytes, to: pieceBytes + 1 })).rejects.toThrow(
    'the file changed on disk',
  )
})

test('the SHA-256 of a file is worked out, remembered, and that of the file', async () => {
  const one = await oneOffice(file(size))
  expect(one.entry().sha256).toBeUndefined()
  const expected = createHash('sha256').update(one.content).digest('hex')
  await vi.waitFor(() => expect(one.entry().sha256).toBe(expected), patienceMs)
  await vi.waitFor(() => expect(one.again().find(one.secret)?.record.sha256).toBe(expected), patienceMs)
})

test('a folder is an archive that tar opens, with all that is in it', async () => {
  const one = await oneOffice({ ...folderSample(contents), name: 'trip' })
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'trip.tar'), await fetched(one))
  execFileSync('tar', ['-xf', 'trip.tar'], { cwd: folder })
  expect(textsOf(foundIn(join(folder, 'trip')))).toEqual(textsOf(contents))
  const listed = execFileSync('tar', ['-tvf', 'trip.tar'], { cwd: folder, encoding: 'utf8' })
  expect(listed).toMatch(/-rwxr-xr-x .* trip\/run\.sh\n/)
  expect(listed).toMatch(/-rw-r--r-- .* trip\/a\/large\.bin\n/)
})

test('each part of an archive is that part, and each piece is read once for the whole', async () => {
  const one = await oneOffice({ ...folderSample(contents), name: 'trip' })
  const whole = await fetched(one)
  one.reads.length = 0
  await fetched(one)
  expect(new Set(one.reads).size).toBe(one.reads.length)
  for (let from = 0; from < whole.length; from += 77_777) {
    const to = Math.min(whole.length, from + 100_000)
    expect((await fetched(one, { from, to })).equals(whole.subarray(from, to))).toBe(true)
  }
})

test('each file of a folder comes by itself, and no other path', async () => {
  const one = await oneOffice({ ...folderSample(contents), name: 'trip' })
  for (const { path, kind } of entriesOf(contents)) {
    if (kind === 'folder') await expect(fetched(one, { path })).rejects.toThrow('there is no file')
    else expect((await fetched(one, { path })).equals(contents[path] ?? Buffer.alloc(0))).toBe(true)
  }
  for (const path of ['', 'a', 'a/', '../e', '/etc/passwd', 'a/large.bin/', 'A/large.bin'])
    await expect(fetched(one, { path })).rejects.toThrow('there is no file')
  const listed = await one.entry().list(3)
  expect(listed.ok && listed.value).toHaveLength(3)
})

test('an empty folder is an archive without files', async () => {
  const one = await oneOffice({ ...folderSample({}), name: 'trip' })
  expect((await fetched(one)).equals(Buffer.alloc(1024))).toBe(true)
})

test('a link that is taken back ends what it was giving, with no byte more', async () => {
  const one = await oneOffice(file(size))
  const { reader } = await begun(one)
  const revoking = one.book.revoke(ann, one.link.record.number)
  await expect(reader.read()).rejects.toThrow('this link was taken back')
  expect(one.link.transfers.size).toBe(0)
  expect(one.acts.map(({ what }) => what)).toEqual(['link_made', 'link_used', 'link_ended', 'guest_sent'])
  await revoking
})

test('what a guest fetches, in however many parts, is one upload with the number of the link, and not its secret', async () => {
  const one = await oneOffice(file(size))
  const [first, second] = [await begun(one), await begun(one)]
  const [fetch, ...others] = one.book.fetches()
  expect(others).toEqual([])
  const { fileId } = one.link.record
  expect(fetch).toEqual({
    ...{ link: 1, group: 'g', name: 'e', fileId, user: 'guest by link 1', way: 'direct' },
    ...{ peer: `guest by link 1 at ${guest}`, pieceCount: 4, pieces: expect.any(Number) },
    ...{ sentBytes: [...one.link.transfers].reduce((sum, { sentBytes }) => sum + sentBytes, 0) },
    bytesPerSecond: expect.any(Number),
  })
  expect(fetch?.sentBytes).toBeGreaterThan(0)
  expect(JSON.stringify(fetch)).not.toContain(one.secret)
  for (const { leave } of [first, second]) leave.abort()
  expect(one.book.fetches()).toEqual([])
})

test('what is sent when the time of a link is over, or nobody is logged in, ends', async () => {
  const one = await oneOffice(file(size))
  const { reader } = await begun(one)
  one.nowMs = one.link.record.untilMs
  await expect(reader.read()).rejects.toThrow('the time of this link is over')
  const other = await oneOffice(file(size))
  const running = await begun(other)
  other.standing = 'logged-out'
  await expect(running.reader.read()).rejects.toThrow('not logged in')
})

test('a guest who takes nothing is cut off, and holds no memory of the queue', async () => {
  const one = await oneOffice(file(size), { stalledMs: 2000 })
  const { reader } = await begun(one)
  await vi.waitFor(() => expect(one.uploads.activeUsers).toBe(0), patienceMs)
  expect(one.link.transfers.size).toBe(1)
  await vi.waitFor(() => expect(one.link.transfers.size).toBe(0), patienceMs)
  await expect(reader.read()).rejects.toThrow('nothing of it was read for too long')
})

test('a guest who leaves is sent nothing more, and what was sent is in the audit', async () => {
  const one = await oneOffice(file(size))
  const { leave } = await begun(one)
  leave.abort()
  expect(one.link.transfers.size).toBe(0)
  expect(one.acts.at(-1)).toMatchObject({ what: 'guest_sent', from: guest })
  expect(Number(one.acts.at(-1)?.['bytes'])).toBeLessThan(size)
})

test('guests are held by the upload limit, and by that of the entry', async () => {
  for (const set of [
    (one: Awaited<ReturnType<typeof oneOffice>>) => one.bucket.setRate(2 * pieceBytes),
    (one: Awaited<ReturnType<typeof oneOffice>>) => one.limits.set({ group: 'g', name: 'e' }, 2 * pieceBytes),
  ]) {
    const one = await oneOffice(file(pieceBytes))
    set(one)
    const sinceMs = performance.now()
    await fetched(one)
    expect(performance.now() - sinceMs).toBeGreaterThan(300)
  }
})

test('all guests together have the share of one member', async () => {
  const one = await oneOffice(file(40 * pieceBytes))
  one.bucket.setRate(20 * pieceBytes)
  let pieces = 0
  const member = new FakePeer('ben', () => pieces++)
  for (let at = 0; at < 200; at++) one.uploads.add(member, piece(at))
  const guests = ['1.1.1.1', '2.2.2.2', '3.3.3.3', '4.4.4.4']
  await Promise.all(guests.map((as) => fetched(one, { to: 4 * pieceBytes, as })))
  // Theirs are 16 pieces. A newcomer has some turns ahead; four members would have had four of five.
  expect(pieces).toBeGreaterThanOrEqual(7)
})

test('who fetches but the last byte, again and again, has used the link up', async () => {
  const one = await oneOffice(file(pieceBytes), { times: 1 })
  const most = linkLimits.sentTimes * pieceBytes + linkLimits.sentBesideBytes
  let sent = 0
  await expect(
    (async () => {
      for (; sent < 2 * most; sent += pieceBytes - 1) await fetched(one, { to: pieceBytes - 1 })
    })(),
  ).rejects.toThrow('used as often as it may be')
  expect(sent).toBeLessThan(most + pieceBytes)
})

test('what is not offered at the moment is to be asked for later, and goes on then', async () => {
  const one = await oneOffice(file(size))
  one.offer.withdraw('its disk is away')
  await expect(fetched(one)).rejects.toThrow('try again later')
})
