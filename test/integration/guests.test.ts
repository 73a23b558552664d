// Guests of a real client: whoever has a link fetches over HTTPS, without an account.

import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { fetchAs, type Guest } from '../web/guests/guest.ts'
import type { Program } from './programs.ts'
import { contentOf, MiB, World } from './world.ts'

/** Far longer than anything here takes, also on a machine that is busy with other tests. */
const patienceMs = 30_000

let world: World
let ann: Program
beforeAll(async () => {
  world = await World.make()
  ann = await sharer('ann')
  await ann.does('create_group family')
})
afterAll(async () => {
  await world.close()
})

/** Not `world.client`, which must be silent on standard error: where guests are served is said there. */
function started(name: string, guestPort = 0): Program {
  const addresses = ['127.0.0.1', '0', '127.0.0.1', String(world.trackerPort)]
  const folder = ['--data-dir', world.path(name), '--audit', world.path(`${name}.jsonl`)]
  return world.run(name, 'client', [...addresses, ...folder, '--guests', `127.0.0.1:${guestPort}`])
}

async function sharer(name: string): Promise<Program> {
  const client = started(name)
  await world.account(name)
  await client.does(`login ${name} secret --remember`)
  return client
}

async function linkTo(client: Program, line: string): Promise<{ guest: Guest; link: number }> {
  const [url = '', named = '', known = ''] = await client.ask(line)
  const fingerprint = /[0-9A-F:]{95}/.exec(known)?.[0]
  return { guest: { url, fingerprint }, link: Number(/^link (\d+) /.exec(named)?.[1]) }
}

/** Resolves when the first bytes have come; `ended` says why a transfer came to no good end. */
async function begun(file: Guest): Promise<{ ended: Promise<string> }> {
  let onBegun = (): void => undefined
  const hasBegun = new Promise<void>((resolve) => (onBegun = resolve))
  const ended = fetchAs(file, {}, 'GET', onBegun).then(
    ({ status }) => `it came, with ${status}`,
    (error: unknown) => String(error),
  )
  await Promise.race([hasBegun, ended])
  return { ended }
}

function audit(name: string): Record<string, unknown>[] {
  const text = readFileSync(world.path(`${name}.jsonl`), 'utf8')
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

test('a guest sees what a link leads to, and fetches it whole, from the middle, and resumed', async () => {
  const bytes = contentOf('film ü.bin', 3 * MiB + 5)
  await ann.does(`upload_file '${world.makeFile('film ü.bin', bytes.length)}' family`)
  const { guest, link } = await linkTo(ann, "share_link family 'film ü.bin'")
  expect(guest.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+\/[A-Za-z0-9_-]{43}$/)

  const sum = createHash('sha256').update(bytes).digest('hex')
  const page = await vi.waitFor(async () => {
    const answer = await fetchAs(guest)
    expect(answer.text).toContain(sum)
    return answer
  }, patienceMs)
  expect(page.text).toContain('film ü.bin')
  expect(page.text).toContain('ann')
  expect(page.text).not.toContain('<script')
  const target = /class="button" href="([^"]+)"/.exec(page.text)?.[1] ?? ''
  const file = { ...guest, url: new URL(target, guest.url).href }
  const whole = await fetchAs(file)
  expect([whole.status, whole.body.equals(bytes)]).toEqual([200, true])
  const { etag } = whole.headers
  const rest = await fetchAs(file, { range: `bytes=${MiB + 7}-`, 'if-range': String(etag) })
  expect([rest.status, rest.body.equals(bytes.subarray(MiB + 7))]).toEqual([206, true])
  expect(
    await ann.until(/^a guest at 127\.0\.0\.1 fetches film ü\.bin of family by link \d+ \(use 1\)$/),
  ).toContain(`link ${link}`)
  await vi.waitFor(
    () =>
      expect(audit('ann').filter((each) => each['link'] === link)).toMatchObject([
        { what: 'link_made', who: 'ann', group: 'family', name: 'film ü.bin' },
        { what: 'link_used', from: '127.0.0.1', use: 1 },
        { what: 'guest_sent', bytes: bytes.length },
        { what: 'guest_sent', bytes: bytes.length - MiB - 7 },
      ]),
    patienceMs,
  )
  expect(readFileSync(world.path('ann.jsonl'), 'utf8')).not.toContain(guest.url.split('/').at(-1))
})

test('a link that is taken back ends what it was giving, at once', async () => {
  await ann.does(`upload_file ${world.makeFile('long.bin', 8 * MiB)} family`, 'limit upload 256K')
  const { guest, link } = await linkTo(ann, 'share_link family long.bin')
  const file = { ...guest, url: `${guest.url}/long.bin` }
  const { ended } = await begun(file)
  await ann.askUntil('list_links', /long\.bin .* at the moment/)
  expect(await ann.ask('show_uploads')).toEqual([
    expect.stringMatching(
      new RegExp(
        `^\\[family\\] long\\.bin  guest by link ${link} at 127\\.0\\.0\\.1  \\d+ bytes  \\d+ bytes/s$`,
      ),
    ),
  ])
  const sinceMs = performance.now()
  expect(await ann.ask(`revoke_link ${link}`)).toContain(`link ${link} to long.bin in family is taken back`)
  expect(await ended).toMatch(/aborted|socket hang up|ECONNRESET/)
  expect(performance.now() - sinceMs).toBeLessThan(5000)
  await ann.does('limit upload none')
  expect(await fetchAs(file)).toMatchObject({ status: 410, text: 'this link was taken back\n' })
})

test('--times counts guests and not requests: who resumes goes on, and who comes again does not', async () => {
  const bytes = contentOf('once.bin', MiB)
  await ann.does(`upload_file ${world.makeFile('once.bin', MiB)} family`)
  const { guest } = await linkTo(ann, 'share_link family once.bin --times 1 --for 2h')
  const file = { ...guest, url: `${guest.url}/once.bin` }
  const parts = [
    await fetchAs(file, { range: 'bytes=0-99' }),
    await fetchAs(file, { range: 'bytes=100-500000' }),
    await fetchAs(file, { range: 'bytes=500001-' }),
  ]
  expect(Buffer.concat(parts.map(({ body }) => body)).equals(bytes)).toBe(true)
  expect(await fetchAs(file)).toMatchObject({
    status: 410,
    text: 'this link was used as often as it may be\n',
  })
  expect((await ann.ask('list_links')).find((line) => line.includes('once.bin'))).toMatch(
    /1 of 1 use {2}it was used as often as it may be$/,
  )
})

test('a folder comes as an archive, and each file of it by itself', async () => {
  const folder = world.makeFolder('trip', 'day one')
  writeFileSync(join(folder, 'a.txt'), 'first')
  writeFileSync(world.path('trip', 'b.txt'), 'second')
  await ann.does(`upload_file ${world.path('trip')} family`)
  const { guest } = await linkTo(ann, 'share_link family trip/')
  const page = await fetchAs(guest)
  const targets = Array.from(page.text.matchAll(/href="([^"]+)"/g), ([, target = '']) => target)
  const [archive, first] = await Promise.all(
    targets.slice(0, 2).map((target) => fetchAs({ ...guest, url: new URL(target, guest.url).href })),
  )
  expect(archive?.headers).toMatchObject({
    'content-length': String(archive?.body.length),
    'content-disposition': expect.stringContaining('trip.tar'),
  })
  expect(archive?.text).toContain('trip/day one/a.txt')
  expect([targets[1]?.endsWith('/trip/b.txt'), first?.text].join()).toMatch(/^true,second$|^false,first$/)
})

test('a link outlives a restart, and so does the certificate; a logout ends it until the next login', async () => {
  const bytes = contentOf('kept.bin', MiB)
  let cem = await sharer('cem')
  await cem.does('create_group kept', `upload_file ${world.makeFile('kept.bin', MiB)} kept`)
  const { guest } = await linkTo(cem, 'share_link kept kept.bin')
  const file = { ...guest, url: `${guest.url}/kept.bin` }
  await cem.kill()
  cem = started('cem', Number(new URL(guest.url).port))
  await vi.waitFor(async () => expect((await fetchAs(file)).body.equals(bytes)).toBe(true), patienceMs)
  await cem.does('logout')
  expect(await fetchAs(file)).toMatchObject({ status: 410, text: expect.stringContaining('not logged in') })
  expect((await fetchAs({ ...guest, url: guest.url })).status).toBe(410)
  await cem.does('login cem secret')
  await vi.waitFor(async () => expect((await fetchAs(file)).body.equals(bytes)).toBe(true), patienceMs)
})

test.each([
  ['stops sharing it', async (dan: Program) => dan.does('stop_share club paper.pdf')],
  [
    'shares another version',
    async (dan: Program, path: string) => {
      writeFileSync(path, 'another version')
      return dan.does(`upload_file ${path} club`)
    },
  ],
  ['leaves the group', async (dan: Program) => dan.does('leave_group club')],
])('a link is dead for good as soon as its user %s', async (_what, end) => {
  if (!(await ann.ask('list_groups')).some((line) => line.startsWith('club ')))
    await ann.does('create_group club')
  dan ??= await sharer('dan')
  const path = world.makeFile('paper.pdf', 1000)
  const since = dan.mark()
  if (!(await ann.ask('list_members club')).includes('dan')) {
    await dan.does('join_group club')
    await ann.does('accept_request club dan')
    await dan.until('you are now a member of club', since)
  }
  await dan.does(`upload_file ${path} club`)
  const { guest, link } = await linkTo(dan, 'share_link club paper.pdf')
  expect((await fetchAs({ ...guest, url: `${guest.url}/paper.pdf` })).status).toBe(200)
  await end(dan, path)
  await dan.until(`link ${link} to paper.pdf of club has ended: that is not shared from here any more`, since)
  for (const url of [guest.url, `${guest.url}/paper.pdf`])
    expect(await fetchAs({ ...guest, url })).toMatchObject({
      status: 410,
      text: 'what this link leads to is not shared any more\n',
    })
})
let dan: Program | undefined

test('a member who is removed gives nothing more by a link, and what is being fetched ends', async () => {
  const fay = await sharer('fay')
  await world.group('choir', ann, fay)
  await fay.does(`upload_file ${world.makeFile('song.bin', 8 * MiB)} choir`, 'limit upload 256K')
  const { guest, link } = await linkTo(fay, 'share_link choir song.bin')
  const file = { ...guest, url: `${guest.url}/song.bin` }
  const { ended } = await begun(file)
  await fay.askUntil('list_links', /song\.bin .* at the moment/)
  await ann.does('remove_member choir fay')
  expect(await ended).toMatch(/aborted|socket hang up|ECONNRESET/)
  await fay.until(`link ${link} to song.bin of choir has ended: that is not shared from here any more`)
  expect((await fetchAs(file)).status).toBe(410)
})

test('another terminal makes, lists and takes back links of the client that runs', async () => {
  const addresses = ['127.0.0.1', '0', '127.0.0.1', String(world.trackerPort)]
  const other = world.run('other', 'client', [...addresses, '--data-dir', world.path('ann')])
  await ann.does(`upload_file ${world.makeFile('two.bin', 1000)} family`)
  const { guest, link } = await linkTo(other, 'share_link family two.bin')
  expect((await fetchAs({ ...guest, url: `${guest.url}/two.bin` })).status).toBe(200)
  await ann.until(new RegExp(`fetches two.bin of family by link ${link} `))
  expect(await other.ask(`revoke_link ${link}`)).toContain(`link ${link} to two.bin in family is taken back`)
  expect((await fetchAs(guest)).status).toBe(410)
  expect(await other.say('revoke_link 999')).toBe('error: there is no link 999; list_links lists yours')
})

test('--guests at another terminal says where the client that runs serves guests, if it is another place', async () => {
  const sentences = []
  for (const guestPort of [1, 0]) {
    const other = started('ann', guestPort)
    other.process.stdin.end()
    await other.ended()
    sentences.push(other.stderr)
  }
  expect(sentences).toEqual([
    expect.stringMatching(
      /^guests: the client that runs here serves them at https:\/\/127\.0\.0\.1:\d+\/; end it, [^\n]*\n$/,
    ),
    '',
  ])
})

test('without --guests, and for what is not shared, there are no links', async () => {
  const eve = await world.user('eve')
  await eve.does('create_group own', `upload_file ${world.makeFile('own.bin', 10)} own`)
  expect(await eve.say('share_link own own.bin')).toBe(
    'error: this client serves no guests; start it with --guests <ip:port>',
  )
  expect(await ann.say('share_link family nothing.bin')).toBe(
    'error: you do not share nothing.bin in family; a guest can be given what you share',
  )
})
