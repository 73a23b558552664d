// Files that are dropped into the page.

import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { accept, refuse } from '../../../src/common/refusal.ts'
import { temporaryFolder } from '../../client/temporary-folder.ts'
import { ask, browser, linesOf, onePage, rawConnection, type Answered, type OnePage } from './one-page.ts'

function pathFor(folder: string, name: string): string {
  return `/api/drop?${new URLSearchParams({ group: 'g', name, folder }).toString()}`
}

async function drop(page: OnePage, folder: string, name: string, body: string | Buffer): Promise<Answered> {
  const headers = { ...(await browser(page)), 'content-type': 'text/plain' }
  return ask(page.port, pathFor(folder, name), { method: 'POST', headers, body })
}

test('a file is copied into the folder and shared from there', async () => {
  const page = await onePage()
  const folder = temporaryFolder()
  const body = Buffer.alloc(3_000_000, 'coterie')
  const answer = await drop(page, folder, 'my photo.jpg', body)
  const path = join(folder, 'my photo.jpg')
  expect([answer.status, answer.json()]).toMatchObject([200, { ok: true, value: { name: path, group: 'g' } }])
  expect(readFileSync(path).equals(body)).toBe(true)
  expect(readdirSync(folder)).toEqual(['my photo.jpg'])
  expect(page.client.calls).toEqual([`uploadFile(${JSON.stringify(path)}, "g")`])
})

test('a file without bytes is a file', async () => {
  const page = await onePage()
  const folder = temporaryFolder()
  expect((await drop(page, folder, 'empty', '')).json()['ok']).toBe(true)
  expect(readFileSync(join(folder, 'empty')).length).toBe(0)
})

test('nothing that is there is replaced, and no link is followed', async () => {
  const page = await onePage()
  const folder = temporaryFolder()
  const elsewhere = join(temporaryFolder(), 'elsewhere')
  writeFileSync(join(folder, 'a'), 'old')
  symlinkSync(elsewhere, join(folder, 'b'))
  for (const name of ['a', 'b']) {
    const answer = await drop(page, folder, name, 'new')
    expect([answer.status, answer.json()['code']]).toEqual([200, 'local-file'])
    expect(answer.json()['sentence']).toContain(`${join(folder, name)} exists already`)
  }
  expect(readFileSync(join(folder, 'a'), 'utf8')).toBe('old')
  expect(readdirSync(folder)).toEqual(['a', 'b'])
  expect(() => readFileSync(elsewhere)).toThrow('ENOENT')
  expect(page.client.calls).toEqual([])
})

test.each(['../a', 'a/b', '..', '', 'a\u0000b', 'line\nbreak'])('%j is no name for a file', async (name) => {
  const page = await onePage()
  const folder = join(temporaryFolder(), 'in')
  mkdirSync(folder)
  expect((await drop(page, folder, name, 'x')).json()['code']).toBe('bad-name')
  expect([readdirSync(folder), readdirSync(join(folder, '..'))]).toEqual([[], ['in']])
})

test('the folder is named from the root, and has to be there', async () => {
  const page = await onePage()
  const missing = join(temporaryFolder(), 'missing')
  expect((await drop(page, missing, 'a', 'x')).json()['sentence']).toBe(`there is no folder ${missing}`)
  expect((await drop(page, 'here', 'a', 'x')).json()['code']).toBe('usage')
  const headers = await browser(page)
  const of = (query: string): Promise<Answered> =>
    ask(page.port, `/api/drop${query}`, { method: 'POST', headers, body: 'x' })
  expect((await of('?group=g')).status).toBe(400)
  const unnamed = await of('?group=g&name=a')
  expect([unnamed.status, unnamed.json()['sentence']]).toEqual([
    200,
    expect.stringContaining('--drop-folder'),
  ])
})

test('a folder that was named at the start is where files go, unless the page names another', async () => {
  const [usual, other] = [temporaryFolder(), temporaryFolder()]
  const page = await onePage({ dropFolder: usual })
  const headers = await browser(page)
  await ask(page.port, '/api/drop?group=g&name=a', { method: 'POST', headers, body: 'x' })
  await drop(page, other, 'b', 'x')
  expect([readdirSync(usual), readdirSync(other)]).toEqual([['a'], ['b']])
})

test('a copy that cannot be shared stays, and the answer says why it is not shared', async () => {
  const page = await onePage()
  page.client.answers.uploadFile = async () => refuse('no-such-group', 'there is no group g')
  const folder = temporaryFolder()
  const answer = await drop(page, folder, 'a', 'x')
  expect(answer.json()).toEqual({ ok: false, code: 'no-such-group', sentence: 'there is no group g' })
  expect(readdirSync(folder)).toEqual(['a'])
})

test('of a file that breaks off nothing is left, and nothing is shared', async () => {
  const page = await onePage()
  const shown = linesOf(await browser(page))
  const folder = temporaryFolder()
  const { socket } = rawConnection(page.port)
  socket.write(
    `POST ${pathFor(folder, 'a')} HTTP/1.1\r\nHost: 127.0.0.1:${page.port}\r\n${shown}Content-Length: 100\r\n\r\nbegin`,
  )
  await vi.waitFor(() => expect(readdirSync(folder)).toHaveLength(1))
  expect(readdirSync(folder)[0]).toMatch(/^\.\w+\.part$/)
  socket.destroy()
  await vi.waitFor(() => expect(readdirSync(folder)).toEqual([]))
  expect([page.client.calls, page.failures]).toEqual([[], []])
})

test('a file that falls silent is given up, and one that is hashed for longer is not', async () => {
  const page = await onePage({ dropSilenceMs: 300 })
  const folder = temporaryFolder()
  const shown = linesOf(await browser(page))
  const givenUp = (name: string): Promise<void> => {
    const { socket, closed } = rawConnection(page.port)
    socket.write(
      `POST ${pathFor(folder, name)} HTTP/1.1\r\nHost: 127.0.0.1:${page.port}\r\n${shown}Content-Length: 100\r\n\r\nbegin`,
    )
    return closed
  }
  await givenUp('a')
  await vi.waitFor(() => expect(readdirSync(folder)).toEqual([]))
  page.client.answers.uploadFile = async (path, group) => {
    // One that fell silent later than this file is gone by then.
    await givenUp('b')
    return accept({ name: path, group, sizeBytes: 1, pieceCount: 1 })
  }
  expect((await drop(page, folder, 'c', 'x')).json()['ok']).toBe(true)
})

test('a form of another page drops nothing', async () => {
  const page = await onePage()
  const folder = temporaryFolder()
  const headers = await browser(page)
  // A form sends the cookie, and no header of its own.
  const form = { method: 'POST', headers: { cookie: headers.cookie }, body: 'x' }
  expect((await ask(page.port, pathFor(folder, 'a'), form)).status).toBe(403)
  const elsewhere = { ...headers, origin: 'http://evil.example' }
  expect((await ask(page.port, pathFor(folder, 'a'), { ...form, headers: elsewhere })).status).toBe(403)
  expect(readdirSync(folder)).toEqual([])
})
