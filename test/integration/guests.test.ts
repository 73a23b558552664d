// Guests of a real client: whoever has a link fetches over HTTPS, without an account.

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { fetchAs, type Fetched, type Guest } from '../web/guests/guest.ts'
import type { Program } from './programs.ts'
import { contentOf, MiB, World } from './world.ts'

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
async function sharer(name: string, words: readonly string[] = []): Promise<Program> {
  const addresses = ['127.0.0.1', '0', '127.0.0.1', String(world.trackerPort)]
  const folder = ['--data-dir', world.path(name), '--audit', world.path(`${name}.jsonl`)]
  const client = world.run(name, 'client', [...addresses, ...folder, '--guests', '127.0.0.1:0', ...words])
  await world.account(name)
  await client.does(`login ${name} secret`)
  return client
}

async function linkTo(client: Program, line: string): Promise<{ guest: Guest; link: number }> {
  const [url = '', named = '', known = ''] = await client.ask(line)
  const fingerprint = /[0-9A-F:]{95}/.exec(known)?.[0]
  return { guest: { url, fingerprint }, link: Number(/^link (\d+) /.exec(named)?.[1]) }
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
  })
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
  await vi.waitFor(() =>
    expect(audit('ann').filter((each) => each['link'] === link)).toMatchObject([
      { what: 'link_made', who: 'ann', group: 'family', name: 'film ü.bin' },
      { what: 'link_used', from: '127.0.0.1', use: 1 },
      { what: 'guest_sent', bytes: bytes.length },
      { what: 'guest_sent', bytes: bytes.length - MiB - 7 },
    ]),
  )
  expect(readFileSync(world.path('ann.jsonl'), 'utf8')).not.toContain(guest.url.split('/').at(-1))
})

test('a link that is taken back ends what it was giving, at once', async () => {
  await ann.does(`upload_file ${world.makeFile('long.bin', 8 * MiB)} family`, 'limit upload 256K')
  const { guest, link } = await linkTo(ann, 'share_link family long.bin')
  const file = { ...guest, url: `${guest.url}/long.bin` }
  const running: Promise<Fetched> = fetchAs(file)
  const ended = expect(running).rejects.toThrow(/aborted|socket hang up|ECONNRESET/)
  await ann.askUntil('list_links', /long\.bin .* at the moment/)
  const sinceMs = performance.now()
  expect(await ann.ask(`revoke_link ${link}`)).toContain(`link ${link} to long.bin in family is taken back`)
  await ended
  expect(performance.now() - sinceMs).toBeLessThan(5000)
  await ann.does('limit upload none')
  expect(await fetchAs(file)).toMatchObject({ status: 410, text: 'this link was taken back\n' })
})
