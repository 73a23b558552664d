// Links for guests: made, found, counted and ended.

import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { linkLimits } from '../../../src/client/guests/limits.ts'
import { ann, hourMs, madeIn, oneBook } from './one-book.ts'

const [one, other] = ['1.2.3.4', '1.2.3.5']
const used = {
  ok: false,
  refusal: { code: 'not-shared', sentence: 'this link was used as often as it may be' },
}

test('a secret has 256 bits, is found as it is, and nothing like it is', async () => {
  const { book, ...rest } = oneBook()
  const { secret, link } = await madeIn({ book, ...rest })
  expect(Buffer.from(secret, 'base64url')).toHaveLength(32)
  expect(book.find(secret)).toBe(link)
  for (const guess of [
    secret.slice(1),
    `${secret}A`,
    secret.toLowerCase(),
    `${secret}=`,
    ` ${secret}`,
    '',
    link.record.secretHash,
  ])
    expect(book.find(guess)).toBeUndefined()
})

test('on disk is a hash of the secret, for the owner alone', async () => {
  const mine = oneBook()
  const { secret, link } = await madeIn(mine)
  const path = join(mine.folder, 'guest_links.json')
  const text = readFileSync(path, 'utf8')
  expect(text).not.toContain(secret)
  expect(text).not.toContain(Buffer.from(secret, 'base64url').toString('hex'))
  expect(text).toContain(link.record.secretHash)
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

test('a link outlives a restart, with its count and the uses that were not over', async () => {
  const mine = oneBook()
  const { secret, link } = await madeIn(mine, { times: 2 })
  const use = await mine.book.use(link, one, false)
  expect(use.ok).toBe(true)
  const book = mine.again()
  const again = book.find(secret)
  if (again === undefined) throw new Error('it is gone')
  expect((await book.use(again, one, false)).ok).toBe(true)
  expect(book.list(ann)).toMatchObject([{ uses: 1, times: 2, isOpen: true }])
  expect((await book.use(again, other, false)).ok).toBe(true)
  expect(await book.use(again, '9.9.9.9', false)).toMatchObject(used)
})

test('of many who come at once for the last use, one gets it', async () => {
  const mine = oneBook()
  const { link } = await madeIn(mine, { times: 1 })
  const guests = Array.from({ length: 20 }, (_, at) => `10.0.0.${at}`)
  const answers = await Promise.all(guests.map((guest) => mine.book.use(link, guest, false)))
  expect(answers.filter(({ ok }) => ok)).toHaveLength(1)
  expect(link.record.uses).toBe(1)
})

test('the count is on disk before anything may be sent', async () => {
  const mine = oneBook()
  const { secret, link } = await madeIn(mine, { times: 1 })
  await mine.book.use(link, one, false)
  const after = mine.again()
  const found = after.find(secret)
  expect(found && after.problemFor(found, other, false)).toBe('this link was used as often as it may be')
})

test('who fetches may go on after the last use, and nobody else is shown anything', async () => {
  const mine = oneBook()
  const { link } = await madeIn(mine, { times: 1 })
  const use = await mine.book.use(link, one, false)
  if (!use.ok) throw new Error('refused')
  use.value.onSent('f', 0, 50, mine.nowMs)
  expect(await mine.book.use(link, one, true)).toEqual(use)
  expect(mine.book.problemFor(link, other, false)).toBeDefined()
  use.value.onSent('f', 50, 100, mine.nowMs)
  expect(await mine.book.use(link, one, false)).toMatchObject(used)
})

test('after its time a link gives nothing, and what it was giving ends', async () => {
  const mine = oneBook()
  const { secret, link } = await madeIn(mine)
  mine.nowMs += hourMs - 1
  expect(mine.book.problemOf(link)).toBeUndefined()
  mine.nowMs += 1
  expect(mine.book.problemOf(link)).toBe('the time of this link is over')
  expect((await mine.book.use(link, one, false)).ok).toBe(false)
  expect(mine.again().find(secret)).toBeDefined()
})

test('a link that is taken back is dead at once, also after a restart, and its transfers end', async () => {
  const mine = oneBook()
  const { secret, link } = await madeIn(mine)
  const ended: string[] = []
  link.transfers.add({
    guest: '1.2.3.4',
    bytesPerSecond: () => 0,
    sentBytes: 0,
    close: (why) => ended.push(why),
  })
  const revoking = mine.book.revoke(ann, link.record.number)
  expect([ended, mine.book.problemOf(link)]).toEqual([
    ['this link was taken back'],
    'this link was taken back',
  ])
  await revoking
  const book = mine.again()
  const again = book.find(secret)
  expect(again && book.problemOf(again)).toBe('this link was taken back')
  expect(mine.events).toEqual([])
  expect(mine.acts.map(({ what }) => what)).toEqual(['link_made', 'link_ended'])
})

test('a user lists and takes back their own links, and nobody else’s', async () => {
  const mine = oneBook()
  const { link } = await madeIn(mine)
  for (const stranger of [
    { community: 'c', user: 'ben' },
    { community: 'd', user: 'ann' },
  ]) {
    expect(mine.book.list(stranger)).toEqual([])
    expect((await mine.book.revoke(stranger, link.record.number)).ok).toBe(false)
  }
  expect(mine.book.problemOf(link)).toBeUndefined()
})

test('what is not shared any more ends its links for good, and those of other contents and users go on', async () => {
  const mine = oneBook()
  const gone = await madeIn(mine)
  const others = [
    await madeIn(mine, { name: 'other' }),
    await madeIn(mine, { fileId: 'b'.repeat(64) }),
    await madeIn(mine, { user: 'ben' }),
  ]
  await mine.book.onUnshared(ann, gone.link.record)
  expect(mine.events).toEqual([{ kind: 'link-ended', link: 1, group: 'g', name: 'f' }])
  expect(mine.book.problemOf(gone.link)).toBe('what this link leads to is not shared any more')
  expect(others.map(({ link }) => mine.book.problemOf(link))).toEqual([undefined, undefined, undefined])
  const book = mine.again()
  const again = book.find(gone.secret)
  expect(again && book.problemOf(again)).toBe('what this link leads to is not shared any more')
})

test('while nobody is logged in a link gives nothing and ends what it gave; it goes on after the next login', async () => {
  const mine = oneBook()
  const { link } = await madeIn(mine)
  const ended: string[] = []
  link.transfers.add({
    guest: '1.2.3.4',
    bytesPerSecond: () => 0,
    sentBytes: 0,
    close: (why) => ended.push(why),
  })
  mine.standing = 'logged-out'
  mine.book.look()
  expect(ended).toEqual([expect.stringContaining('not logged in')])
  expect((await mine.book.use(link, one, false)).ok).toBe(false)
  mine.standing = 'shared'
  expect((await mine.book.use(link, one, false)).ok).toBe(true)
})

test('a link that has ended says so for a month, and then is as if it had never been', async () => {
  const mine = oneBook()
  const { secret, link } = await madeIn(mine)
  await mine.book.revoke(ann, link.record.number)
  mine.nowMs += linkLimits.rememberedMs - 1
  expect(mine.book.find(secret)).toBe(link)
  mine.nowMs += 1
  expect([mine.book.find(secret), mine.book.list(ann)]).toEqual([undefined, []])
  expect((await madeIn(mine)).link.record.number).toBe(2)
})

test('there are a thousand links and not one more, and one that has ended makes room', async () => {
  const mine = oneBook()
  const links = await Promise.all(Array.from({ length: linkLimits.open }, () => madeIn(mine)))
  await expect(madeIn(mine)).rejects.toThrow(/revoke_link/)
  await mine.book.revoke(ann, links[0]?.link.record.number ?? 0)
  await expect(madeIn(mine)).resolves.toBeDefined()
})

test('each use is an event and an audit line, with the guest and without the secret', async () => {
  const mine = oneBook()
  const { secret, link } = await madeIn(mine, { times: 3 })
  await mine.book.use(link, one, false)
  await mine.book.use(link, one, true)
  await mine.book.use(link, other, false)
  const facts = { link: 1, group: 'g', name: 'f' }
  expect(mine.events).toEqual([
    { kind: 'link-used', ...facts, guest: one, uses: 1, times: 3 },
    { kind: 'link-used', ...facts, guest: other, uses: 2, times: 3 },
  ])
  expect(mine.acts.slice(1)).toEqual([
    { what: 'link_used', who: 'ann', ...facts, from: one, use: 1 },
    { what: 'link_used', who: 'ann', ...facts, from: other, use: 2 },
  ])
  expect(JSON.stringify([mine.events, mine.acts])).not.toContain(secret)
})
