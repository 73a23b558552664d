// Looking at files of real clients by the page, whole and while they arrive.

import { utimesSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { expect, onTestFinished, test, vi } from 'vitest'
import { PageService } from '../../../src/client/page-service.ts'
import { Place, type Options } from '../../client/diagnosis/place.ts'
import { sampleBytes } from '../../client/sharing/sample-file.ts'
import { expectOk, type Member } from '../../client/sharing/two-sharers.ts'
import { ask, letIn, pageFolder, type Answered, type Browser } from './one-page.ts'

const pieceBytes = 512 * 1024

interface Looker {
  readonly member: Member
  readonly headers: Browser
  readonly port: number
  get(path: string, range?: string): Promise<Answered>
}

/** A member who has the page open. */
async function looker(place: Place, user: string, options: Options = {}): Promise<Looker> {
  const failures: unknown[] = []
  const page = new PageService(
    () => ({
      operations: member.client.operations,
      subscribe: (listener) => member.client.subscribe(listener),
      onFailure: (error) => failures.push(error),
    }),
    pageFolder(),
  )
  const member: Member = await place.member(user, { showPage: page.show.bind(page), ...options })
  onTestFinished(async () => {
    await page.close()
    expect(failures).toEqual([])
  })
  const shown = await member.client.operations.showPage()
  const link = shown.ok ? shown.value.link : ''
  const port = Number(new URL(link).port)
  const headers = await letIn(port, link)
  const get = (path: string, range?: string): Promise<Answered> =>
    ask(port, `/api/files/${path}`, { headers: { ...headers, ...(range === undefined ? {} : { range }) } })
  return { member, headers, port, get }
}

async function share(member: Member, group: string, name: string, bytes: Buffer): Promise<string> {
  const path = member.path('files', name)
  writeFileSync(path, bytes)
  expectOk(await member.client.operations.uploadFile(path, group))
  return path
}

test('what is shared can be looked at, whole and in parts', async () => {
  const place = await Place.open()
  const ann = await looker(place, 'ann')
  await place.group('g', ann.member)
  const bytes = sampleBytes(3 * pieceBytes + 1000, 7)
  await share(ann.member, 'g', 'film.mp4', bytes)
  const whole = await ann.get('g/film.mp4')
  expect([whole.status, whole.body.equals(bytes)]).toEqual([200, true])
  const part = await ann.get('g/film.mp4', `bytes=${pieceBytes - 10}-${2 * pieceBytes + 9}`)
  expect([part.status, part.body.equals(bytes.subarray(pieceBytes - 10, 2 * pieceBytes + 10))]).toEqual([
    206,
    true,
  ])
  const end = await ann.get('g/film.mp4', 'bytes=-1001')
  expect(end.body.equals(bytes.subarray(-1001))).toBe(true)
  expect((await ann.get('g/film.mp4?path=a')).json()['sentence']).toBe('film.mp4 is a file, not a folder')
  expect((await ann.get('g/other.mp4')).status).toBe(404)
  expect((await ann.get('..%2f..%2fetc/passwd')).status).toBe(404)
  expectOk(await ann.member.client.operations.logout())
  expect((await ann.get('g/film.mp4')).json()['sentence']).toBe('log in first')
})

test('what changed on disk is not passed off as what was shared', async () => {
  const place = await Place.open()
  const ann = await looker(place, 'ann')
  await place.group('g', ann.member)
  const bytes = sampleBytes(2 * pieceBytes, 7)
  const path = await share(ann.member, 'g', 'f.bin', bytes)
  const changed = Buffer.from(bytes)
  changed[0] = (changed[0] ?? 0) ^ 1
  writeFileSync(path, changed)
  utimesSync(path, 1, 1)
  const first = await ann.get('g/f.bin', 'bytes=0-9')
  expect([first.status, first.json()['sentence']]).toEqual([
    404,
    'this part of f.bin is not here, and is not being fetched',
  ])
  const second = await ann.get('g/f.bin', `bytes=${pieceBytes}-${pieceBytes + 9}`)
  expect(second.body.equals(bytes.subarray(pieceBytes, pieceBytes + 10))).toBe(true)
})

test('a download is looked at while it arrives, to its end', async () => {
  const place = await Place.open()
  const ann = await place.member('ann', { uploadLimit: 2 * 1024 * 1024 })
  const ben = await looker(place, 'ben')
  await place.group('g', ann, ben.member)
  const bytes = sampleBytes(8 * pieceBytes, 7)
  await share(ann, 'g', 'film.mp4', bytes)
  await place.fetches(ben.member, 'g', 'film.mp4')
  expect((await ben.get('g/film.mp4', 'bytes=0-0')).status).toBe(206)
  const [before] = await ben.member.client.operations.showDownloads()
  expect(before?.state).toBe('running')
  const whole = await ben.get('g/film.mp4')
  expect(whole.body.equals(bytes)).toBe(true)
})

test('a pause ends the looking, and what was not fetched is refused then', async () => {
  const place = await Place.open()
  const ann = await place.member('ann', { uploadLimit: 1024 * 1024 })
  const ben = await looker(place, 'ben')
  await place.group('g', ann, ben.member)
  await share(ann, 'g', 'film.mp4', sampleBytes(20 * pieceBytes, 7))
  await place.fetches(ben.member, 'g', 'film.mp4')
  const { port } = ben
  const headers = { ...ben.headers }
  let status: number | undefined
  const ended = new Promise<string>((resolve) => {
    const sent = request({ host: '127.0.0.1', port, path: '/api/files/g/film.mp4', headers }, (response) => {
      status = response.statusCode
      response.on('error', (error) => resolve(error.message)).resume()
      response.on('end', () => resolve('whole'))
    })
    sent.on('error', (error) => resolve(error.message)).end()
  })
  await vi.waitFor(() => expect(status).toBe(200), { timeout: 10_000 })
  expectOk(await ben.member.client.operations.pauseDownload('g', 'film.mp4'))
  expect(await ended).toBe('aborted')
  expect((await ben.get('g/film.mp4')).status).toBe(404)
})
