// What is said of links for guests.

import { expect, test } from 'vitest'
import type { LinkView } from '../../../src/client/link-operations.ts'
import { accept } from '../../../src/common/refusal.ts'
import { fakeClient, madeLink } from './fake-operations.ts'
import { runScript } from './script.ts'

const untilMs = new Date(2026, 4, 12, 9, 5).getTime()

function link(part: Partial<LinkView>): LinkView {
  const facts = { link: 1, group: 'g1', name: 'a.pdf', sizeBytes: 5, madeAtMs: 0, untilMs, uses: 0 }
  return { ...facts, isOpen: true, fetching: 0, sentBytes: 0, ...part }
}

test('a link is said alone on a line, with how long and how often it is good, and how its server is known', async () => {
  const client = fakeClient()
  client.answers.shareLink = async () => accept(madeLink({ untilMs, times: 1, fingerprint: 'AB:CD' }))
  const { lines } = await runScript(['share_link g1 film.mkv --for 7d --times 1'], { client })
  expect(lines).toEqual([
    'https://127.0.0.1:8443/secret',
    'link 3 to film.mkv in g1 is good until 2026-05-12 09:05, 1 time',
    'its certificate has the SHA-256 fingerprint AB:CD',
  ])
  expect(client.calls).toContain('shareLink("g1", "film.mkv", {"forMs":604800000,"times":1})')
})

test('where nothing is said, the client decides how long, and any number may use it', async () => {
  const client = fakeClient()
  client.answers.shareLink = async () => accept(madeLink({ untilMs }))
  const { lines } = await runScript(['share_link g1 film.mkv'], { client })
  expect(lines.slice(1)).toEqual(['link 3 to film.mkv in g1 is good until 2026-05-12 09:05'])
  expect(client.calls).toContain('shareLink("g1", "film.mkv", {})')
})

test('links are listed with how often they were used, and why they are not good any more', async () => {
  const client = fakeClient()
  const links = [
    link({ uses: 1, fetching: 2 }),
    link({ link: 2, name: 'trip', files: 3, uses: 1, times: 2 }),
    link({ link: 3, uses: 2, times: 2, isOpen: false, why: 'this link was taken back' }),
  ]
  client.answers.listLinks = async () => accept(links)
  expect((await runScript(['list_links'], { client })).lines).toEqual([
    '1  g1  a.pdf  5 bytes  1 use, 2 at the moment  until 2026-05-12 09:05',
    '2  g1  trip/  5 bytes  1 of 2 uses  until 2026-05-12 09:05',
    '3  g1  a.pdf  5 bytes  2 of 2 uses  this link was taken back',
  ])
})

test.each([
  ['share_link g1 f --times 0', '"0" is not a number of times; write 1, or more'],
  ['share_link g1 f --times two', '"two" is not a number of times; write 1, or more'],
  ['share_link g1 f --for ever', '"ever" is not a duration like 90s, 5m or 2h'],
  ['revoke_link first', '"first" is not the number of a link; list_links shows them'],
])('%s is refused with what is wrong', async (line, sentence) => {
  const client = fakeClient()
  expect((await runScript([line], { client })).lines).toEqual([`error: ${sentence}`])
  expect(client.calls.filter((call) => call.includes('Link'))).toEqual([])
})

test('what becomes of a link is a sentence', async () => {
  const client = fakeClient()
  client.answers.listLinks = async () => {
    const facts = { link: 3, group: 'g1', name: 'a.pdf' }
    client.emit({ kind: 'link-used', ...facts, guest: '192.0.2.1', uses: 1, times: 2 })
    client.emit({ kind: 'link-ended', ...facts })
    return accept([])
  }
  expect((await runScript(['list_links'], { client })).lines).toEqual([
    'no links',
    'a guest at 192.0.2.1 fetches a.pdf of g1 by link 3 (use 1 of 2)',
    'link 3 to a.pdf of g1 has ended: that is not shared from here any more',
  ])
})
