// Bytes of entries, as the page gets them.

import { expect, test, vi } from 'vitest'
import type { ContentReading } from '../../../src/client/readable-content.ts'
import { Failure } from '../../../src/common/failure.ts'
import { accept } from '../../../src/common/refusal.ts'
import {
  ask,
  asPage,
  browser,
  helloTo,
  linesOf,
  noContents,
  onePage,
  rawConnection,
  type Answered,
  type OnePage,
} from './one-page.ts'

interface Reading extends ContentReading {
  readonly asked: unknown[]
  /** Contents that are open. */
  openCount: number
}

/** One file of ten bytes, read three at a time, under any name. */
function tenBytes(read?: (from: number) => Promise<Buffer>): Reading {
  const bytes = Buffer.from('0123456789')
  const reading: Reading = {
    asked: [],
    openCount: 0,
    open: async (asked, signal) => {
      reading.asked.push(asked)
      reading.openCount++
      signal.addEventListener('abort', () => reading.openCount--)
      return accept({
        name: asked.path ?? asked.name,
        sizeBytes: bytes.length,
        tag: 'ten',
        read: read ?? (async (from) => bytes.subarray(from, from + 3)),
      })
    },
  }
  return reading
}

async function get(page: OnePage, path: string, headers: Record<string, string> = {}): Promise<Answered> {
  return ask(page.port, path, { headers: { ...(await browser(page)), ...headers } })
}

test('a file comes whole, with its name, and is no page of this origin', async () => {
  const reading = tenBytes()
  const page = await onePage({ reading })
  const answer = await get(page, '/api/files/g/caf%C3%A9%20(1).mp4')
  expect([answer.status, answer.text, reading.asked]).toEqual([
    200,
    '0123456789',
    [{ group: 'g', name: 'café (1).mp4' }],
  ])
  expect(answer.headers).toMatchObject({
    'content-type': 'video/mp4',
    'content-length': '10',
    'content-disposition': `inline; filename="caf_ (1).mp4"; filename*=UTF-8''caf%C3%A9%20%281%29.mp4`,
    'content-security-policy': "default-src 'none'; sandbox; frame-ancestors 'none'",
    'x-content-type-options': 'nosniff',
    'cross-origin-resource-policy': 'same-origin',
    'cache-control': 'no-store',
    'accept-ranges': 'bytes',
  })
  await vi.waitFor(() => expect(reading.openCount).toBe(0))
})

test.each([
  ['bytes=2-5', 206, 'bytes 2-5/10', '2345'],
  ['bytes=8-', 206, 'bytes 8-9/10', '89'],
  ['bytes=8-100', 206, 'bytes 8-9/10', '89'],
  ['bytes=-4', 206, 'bytes 6-9/10', '6789'],
  ['bytes=-100', 206, 'bytes 0-9/10', '0123456789'],
  ['bytes=0-0', 206, 'bytes 0-0/10', '0'],
  ['bytes=5-2', 200, undefined, '0123456789'],
  ['bytes=0-1,3-4', 200, undefined, '0123456789'],
  ['bytes=-', 200, undefined, '0123456789'],
  ['lines=1-2', 200, undefined, '0123456789'],
])('asked for %s it sends that part, or what HTTP says', async (range, status, contentRange, text) => {
  const answer = await get(await onePage({ reading: tenBytes() }), '/api/files/g/f.png', { range })
  expect([answer.status, answer.headers['content-range'], answer.text]).toEqual([status, contentRange, text])
})

test.each(['bytes=10-', 'bytes=99-100', 'bytes=-0'])(
  'a part beyond the end, %s, is refused',
  async (range) => {
    const reading = tenBytes()
    const answer = await get(await onePage({ reading }), '/api/files/g/f.png', { range })
    expect([answer.status, answer.json()['code'], reading.openCount]).toEqual([416, 'no-such-range', 0])
  },
)

test('a part of another version is not mixed with this one', async () => {
  const page = await onePage({ reading: tenBytes() })
  const range = 'bytes=2-5'
  expect((await get(page, '/api/files/g/f.png', { range, 'if-range': '"ten"' })).status).toBe(206)
  expect((await get(page, '/api/files/g/f.png', { range, 'if-range': '"nine"' })).status).toBe(200)
})

test.each([
  ['evil.html', 'text/plain; charset=utf-8', 'inline'],
  ['evil.svg', 'application/octet-stream', 'attachment'],
  ['evil.xhtml', 'application/octet-stream', 'attachment'],
  ['evil.pdf', 'application/octet-stream', 'attachment'],
  ['evil', 'application/octet-stream', 'attachment'],
  ['notes.TXT', 'text/plain; charset=utf-8', 'inline'],
  ['song.ogg', 'audio/ogg', 'inline'],
])('%s is sent as %s', async (name, type, disposition) => {
  const { headers } = await get(await onePage({ reading: tenBytes() }), `/api/files/g/${name}`)
  expect([headers['content-type'], String(headers['content-disposition']).split(';')[0]]).toEqual([
    type,
    disposition,
  ])
})

test('a file of a folder is named by its path', async () => {
  const reading = tenBytes()
  const page = await onePage({ reading })
  const { headers } = await get(page, '/api/files/g/trips?path=2026%2Fa%26b.jpg')
  expect(reading.asked).toEqual([{ group: 'g', name: 'trips', path: '2026/a&b.jpg' }])
  expect(headers['content-type']).toBe('image/jpeg')
})

test('what is not here, or does not come, is refused with a sentence', async () => {
  const absent = await get(await onePage({ reading: noContents }), '/api/files/g/f')
  expect([absent.status, absent.json()['sentence']]).toEqual([404, 'nothing is shared here'])
  const reading = tenBytes(() => Promise.reject(new Failure('file', 'the disk reports an error')))
  const broken = await get(await onePage({ reading }), '/api/files/g/f')
  expect([broken.status, broken.json()['sentence'], reading.openCount]).toEqual([
    404,
    'the disk reports an error',
    0,
  ])
})

test('a file that breaks off in the middle ends the connection, so that nobody takes it for whole', async () => {
  const reading = tenBytes(async (from) => {
    if (from > 0) throw new Failure('file', 'the file changed on disk')
    return Buffer.from('012')
  })
  const page = await onePage({ reading })
  await expect(get(page, '/api/files/g/f')).rejects.toThrow('aborted')
  expect([reading.openCount, page.failures]).toEqual([0, []])
})

test('bytes are wanted by the page alone', async () => {
  const reading = tenBytes()
  const page = await onePage({ reading })
  expect((await ask(page.port, '/api/files/g/f')).status).toBe(401)
  expect((await get(page, '/api/files/g/f', { 'sec-fetch-site': 'same-site' })).status).toBe(403)
  expect(
    (await ask(page.port, '/api/files/g/f', { method: 'HEAD', headers: await browser(page) })).status,
  ).toBe(405)
  expect(reading.asked).toEqual([])
})

test('the address of a file has a key of its own, which is good for nothing else', async () => {
  const page = await onePage({ reading: tenBytes() })
  const { cookie } = await browser(page)
  const get = async (query: string): Promise<Answered> =>
    ask(page.port, `/api/files/g/f${query}`, { headers: { cookie } })
  expect([(await get('')).json()['code'], (await get('?key=guess')).json()['code']]).toEqual([
    'no-key',
    'no-key',
  ])
  const { fileKey } = await helloTo(page)
  expect((await get(`?key=${fileKey}`)).text).toBe('0123456789')
  const asked = asPage({ cookie, 'x-coterie': fileKey }, [])
  expect((await ask(page.port, '/api/logout', asked)).json()['code']).toBe('no-key')
  expect((await ask(page.port, `/api/logout?key=${fileKey}`, asked)).json()['code']).toBe('no-key')
  expect(page.client.calls).toEqual([])
})

test('who leaves while the bytes are awaited ends the reading', async () => {
  const reading = tenBytes(() => new Promise(() => undefined))
  const page = await onePage({ reading })
  const shown = linesOf(await browser(page))
  const { socket } = rawConnection(page.port)
  socket.write(`GET /api/files/g/f HTTP/1.1\r\nHost: 127.0.0.1:${page.port}\r\n${shown}\r\n`)
  await vi.waitFor(() => expect(reading.openCount).toBe(1))
  socket.destroy()
  await vi.waitFor(() => expect(reading.openCount).toBe(0))
})

test('who does not read is not read for', async () => {
  let reads = 0
  const piece = Buffer.alloc(512 * 1024)
  const reading: ContentReading = {
    open: async () =>
      accept({
        name: 'f',
        sizeBytes: 1024 * piece.length,
        tag: 't',
        read: async () => {
          reads++
          return piece
        },
      }),
  }
  const page = await onePage({ reading })
  const shown = linesOf(await browser(page))
  const { socket } = rawConnection(page.port)
  socket.pause()
  socket.write(`GET /api/files/g/f HTTP/1.1\r\nHost: 127.0.0.1:${page.port}\r\n${shown}\r\n`)
  let before = -1
  await vi.waitFor(
    () => {
      const isStill = reads > 0 && reads === before
      before = reads
      expect(isStill).toBe(true)
    },
    { interval: 200, timeout: 10_000 },
  )
  expect(reads).toBeLessThan(64)
})

test('more than 64 files at a time are refused', async () => {
  const reading = tenBytes(() => new Promise(() => undefined))
  const page = await onePage({ reading })
  const headers = await browser(page)
  for (let count = 1; count <= 64; count++) {
    const { socket } = rawConnection(page.port)
    socket.write(`GET /api/files/g/f HTTP/1.1\r\nHost: 127.0.0.1:${page.port}\r\n${linesOf(headers)}\r\n`)
    await vi.waitFor(() => expect(reading.openCount).toBe(count), { interval: 1 })
  }
  expect((await ask(page.port, '/api/files/g/f', { headers })).status).toBe(429)
})
