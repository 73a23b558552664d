// Operations that the page asks for.

import { homedir } from 'node:os'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { remoteNames } from '../../../src/client/control/protocol.ts'
import { Failure } from '../../../src/common/failure.ts'
import { accept, refuse } from '../../../src/common/refusal.ts'
import { ask, asPage, browser, linesOf, onePage, rawConnection, several } from './one-page.ts'

/** A call of each operation, so that none is left out. */
const calls: Record<string, unknown[]> = {
  createUser: ['ann', 'secret', null],
  login: ['ann', 'secret', true],
  logout: [],
  changePassword: ['a', 'b'],
  resetPassword: ['ann', '0'.repeat(32), 'b'],
  deleteAccount: ['secret'],
  createGroup: ['g', true],
  listGroups: [],
  joinGroup: ['g'],
  listRequests: ['g'],
  acceptRequest: ['g', 'ben'],
  rejectRequest: ['g', 'ben'],
  leaveGroup: ['g'],
  listMembers: ['g'],
  removeMember: ['g', 'ben'],
  uploadFile: ['/photo.jpg', 'g', { skipSpecial: true }],
  listFiles: ['g', { details: true, after: 'a', atMost: 100 }],
  listFolder: ['g', 'f/*'],
  listVersions: ['g', 'f'],
  downloadFile: ['g', 'f', '/downloads/', { overwrite: false }],
  subscribe: ['g', '*', '/downloads'],
  unsubscribe: ['g', '*'],
  listSubscriptions: [],
  showDownloads: [],
  showHashing: [],
  showUploads: [],
  inspect: ['g', 'f'],
  pauseDownload: ['g', 'f'],
  resumeDownload: ['g', 'f'],
  cancelDownload: ['g', 'f'],
  prioritize: ['g', 'f', 'high'],
  stopShare: ['g', 'f'],
  setLimit: [{ direction: 'upload', bytesPerSecond: 1024, hours: { fromMinute: 0, toMinute: 60 } }],
  listLimits: [],
  downloadsSettled: [{ group: 'g', timeoutMs: 5 }],
  why: ['g', null],
  doctor: [],
  showGuestPlace: [],
  shareLink: ['g', 'f', { forMs: 1000, times: 2 }],
  listLinks: [],
  revokeLink: [3],
}

test('each operation but the link to the page can be asked for', () => {
  expect(Object.keys(calls)).toEqual(remoteNames.filter((name) => name !== 'showPage'))
})

test.each(Object.entries(calls))('%s is answered as the prompt would be', async (name, given) => {
  const page = await onePage()
  const answer = await ask(page.port, `/api/${name}`, asPage(await browser(page), given))
  expect([answer.status, answer.json()['ok'], page.failures]).toEqual([200, true, []])
})

test('arguments arrive in their order, and null stands for one that is left out', async () => {
  const page = await onePage()
  const headers = await browser(page)
  await ask(page.port, '/api/prioritize', asPage(headers, ['g', 'f', null]))
  await ask(page.port, '/api/uploadFile', asPage(headers, ['/a b.txt', 'g']))
  expect(page.client.calls).toEqual(['prioritize("g", "f", )', 'uploadFile("/a b.txt", "g", )'])
})

test('several operations that are asked for by one request are answered in their order, each by itself', async () => {
  const page = await onePage()
  page.client.answers.joinGroup = async () => refuse('no-such-group', 'there is no group g')
  page.client.answers.listMembers = async () => accept(['ann'])
  const asked = [
    ['joinGroup', ['g']],
    ['listMembers', ['g']],
    ['prioritize', ['g', 'f', null]],
  ]
  const answer = await ask(page.port, '/api/several', several(await browser(page), asked))
  expect([answer.status, answer.json()]).toEqual([
    200,
    {
      ok: true,
      value: [
        { ok: false, code: 'no-such-group', sentence: 'there is no group g' },
        { ok: true, value: ['ann'] },
        { ok: true, value: 'normal' },
      ],
    },
  ])
  expect(page.client.calls).toContain('prioritize("g", "f", )')
})

test('of several operations none is carried out when one is not to be had, or there are more than eight', async () => {
  const page = await onePage()
  const headers = await browser(page)
  const one = ['listGroups', []]
  const wrong = [
    [],
    [one, ['showPage', []]],
    [one, ['joinGroup', [7]]],
    [one, ['joinGroup']],
    Array.from({ length: 9 }, () => one),
  ]
  for (const asked of wrong) {
    const answer = await ask(page.port, '/api/several', several(headers, asked))
    expect([asked, answer.status, answer.json()['code']]).toEqual([asked, 400, 'bad-request'])
  }
  expect(page.client.calls).toEqual([])
})

test('a refusal is an answer with its code and sentence', async () => {
  const page = await onePage()
  page.client.answers.joinGroup = async () => refuse('no-such-group', 'there is no group g')
  const answer = await ask(page.port, '/api/joinGroup', asPage(await browser(page), ['g']))
  expect([answer.status, answer.json()]).toEqual([
    200,
    { ok: false, code: 'no-such-group', sentence: 'there is no group g' },
  ])
})

test('a failure is an answer too, and a bug ends as everywhere', async () => {
  const page = await onePage()
  const headers = await browser(page)
  page.client.answers.listGroups = () => Promise.reject(new Failure('timeout', 'no answer from the tracker'))
  const failed = await ask(page.port, '/api/listGroups', asPage(headers, []))
  expect(failed.json()).toEqual({ ok: false, code: 'unavailable', sentence: 'no answer from the tracker' })
  const bug = new TypeError('a bug')
  page.client.answers.listGroups = () => Promise.reject(bug)
  await expect(ask(page.port, '/api/listGroups', asPage(headers, []))).rejects.toThrow('socket hang up')
  expect(page.failures).toEqual([bug])
})

test('a page cannot make links to itself, nor ask for what there is not', async () => {
  const page = await onePage()
  const headers = await browser(page)
  for (const name of ['showPage', 'whoami', 'toString', '__proto__', 'nothing']) {
    const answer = await ask(page.port, `/api/${name}`, asPage(headers, []))
    expect([name, answer.status]).toEqual([name, 404])
  }
  expect(page.client.calls).toEqual([])
})

test('arguments of other kinds are refused before they come to the client', async () => {
  const page = await onePage()
  const headers = await browser(page)
  const asked: [string, unknown][] = [
    ['joinGroup', []],
    ['joinGroup', [7]],
    ['joinGroup', ['g', 'more']],
    ['joinGroup', 'g'],
    ['login', ['ann', { length: 3 }]],
    ['prioritize', ['g', 'f', 'highest']],
    ['downloadFile', ['g', 'f', '/here', { overwrite: 'yes' }]],
    ['downloadFile', ['g', 'f', '/here', { overwrite: true, from: 'here' }]],
    ['setLimit', [{ direction: 'upload', bytesPerSecond: 0 }]],
    ['setLimit', [{ direction: 'sideways' }]],
    ['setLimit', [{ direction: 'upload', hours: { fromMinute: 0, toMinute: 1e9 } }]],
  ]
  for (const [name, given] of asked) {
    const answer = await ask(page.port, `/api/${name}`, asPage(headers, given))
    expect([name, given, answer.status]).toEqual([name, given, 400])
    expect(answer.json()['sentence']).toContain(name)
  }
  for (const body of ['', '[]', '{"given":[],"more":1}', '{"given":[]', 'null']) {
    const sent = { ...asPage(headers, []), body }
    expect([body, (await ask(page.port, '/api/logout', sent)).status]).toEqual([body, 400])
  }
  expect(page.client.calls).toEqual([])
})

test('a path is written from the root, or from the home folder', async () => {
  const page = await onePage()
  const headers = await browser(page)
  const relative = await ask(page.port, '/api/uploadFile', asPage(headers, ['photo.jpg', 'g']))
  expect([relative.status, relative.json()['sentence']]).toEqual([
    200,
    '"photo.jpg" is not a whole path; write it from / or from ~',
  ])
  await ask(page.port, '/api/subscribe', asPage(headers, ['g', '*', '~/films']))
  await ask(page.port, '/api/downloadFile', asPage(headers, ['g', 'f', '/tmp/', { overwrite: false }]))
  expect(page.client.calls).toEqual([
    `subscribe("g", "*", ${JSON.stringify(join(homedir(), 'films'))})`,
    'downloadFile("g", "f", "/tmp/", {"overwrite":false})',
  ])
})

test('a page waits for a minute at most', async () => {
  const page = await onePage()
  const headers = await browser(page)
  await ask(page.port, '/api/downloadsSettled', asPage(headers, []))
  await ask(page.port, '/api/downloadsSettled', asPage(headers, [{ timeoutMs: 1e9 }]))
  expect(page.client.calls).toEqual([
    'downloadsSettled({"timeoutMs":60000})',
    'downloadsSettled({"timeoutMs":60000})',
  ])
})

test('a request that is too long is refused, said beforehand or not', async () => {
  const page = await onePage()
  const headers = await browser(page)
  const long = JSON.stringify({ given: ['x'.repeat(1024 * 1024)] })
  const sent = { ...asPage(headers, []), body: long }
  const said = { ...sent, headers: { ...sent.headers, 'content-length': String(long.length) } }
  expect((await ask(page.port, '/api/joinGroup', said)).status).toBe(413)
  const chunked = { ...sent, headers: { ...sent.headers, 'transfer-encoding': 'chunked' } }
  expect((await ask(page.port, '/api/joinGroup', chunked)).status).toBe(413)
  expect(page.client.calls).toEqual([])
})

test('a request that does not come to its end is given up', async () => {
  const page = await onePage()
  const shown = linesOf(await browser(page))
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const { socket, read, closed } = rawConnection(page.port)
  socket.write(
    `POST /api/logout HTTP/1.1\r\nHost: 127.0.0.1:${page.port}\r\n${shown}Content-Type: application/json\r\nContent-Length: 12\r\n\r\n{"giv`,
  )
  while (vi.getTimerCount() === 0) await new Promise((resolve) => setImmediate(resolve))
  vi.advanceTimersByTime(10_000)
  vi.useRealTimers()
  await closed
  expect(read()).toMatch(/^HTTP\/1.1 408/)
  expect(page.client.calls).toEqual([])
})

test('more than 64 operations at a time are refused until some have ended', async () => {
  const page = await onePage()
  const headers = await browser(page)
  const done: (() => void)[] = []
  page.client.answers.doctor = () => new Promise((resolve) => done.push(() => resolve([])))
  const asked: Promise<unknown>[] = []
  for (let count = 1; count <= 64; count++) {
    asked.push(ask(page.port, '/api/doctor', asPage(headers, [])))
    await vi.waitFor(() => expect(done.length).toBe(count), { interval: 1 })
  }
  const more = await ask(page.port, '/api/listGroups', asPage(headers, []))
  expect([more.status, more.json()['code']]).toEqual([429, 'too-many'])
  const together = await ask(page.port, '/api/several', several(headers, [['listGroups', []]]))
  expect([together.status, together.json()['code']]).toEqual([429, 'too-many'])
  for (const end of done) end()
  await Promise.all(asked)
  expect((await ask(page.port, '/api/listGroups', asPage(headers, []))).status).toBe(200)
})

test('a page that leaves before its answer disturbs nobody', async () => {
  const page = await onePage()
  const headers = await browser(page)
  let end: (() => void) | undefined
  page.client.answers.doctor = () => new Promise((resolve) => (end = () => resolve([])))
  const { socket, closed } = rawConnection(page.port)
  socket.write(
    `POST /api/doctor HTTP/1.1\r\nHost: 127.0.0.1:${page.port}\r\n${linesOf(headers)}Content-Type: application/json\r\nContent-Length: 12\r\n\r\n{"given":[]}`,
  )
  await vi.waitFor(() => expect(end).toBeDefined())
  socket.destroy()
  await closed
  end?.()
  const answer = await ask(page.port, '/api/listGroups', asPage(headers, []))
  expect([answer.status, page.failures]).toEqual([200, []])
})
