// What a guest may ask, and what stops everybody else.

import { expect, test } from 'vitest'
import { fetchAs } from './guest.ts'
import { folderOf, noSuchFile, oneGuestServer, rawGuest, secret } from './one-guest-server.ts'

const file = `${secret}/a%20file.txt`

test('the page says what there is, who shares it and until when, and has a button and no script', async () => {
  const { url } = await oneGuestServer()
  const { status, headers, text } = await fetchAs({ url: `${url}/${secret}` })
  expect(status).toBe(200)
  for (const part of ['a file.txt', '10 B (10 bytes)', 'ann', '2026-05-12 09:30 UTC', 'ab'.repeat(32)])
    expect(text).toContain(part)
  expect(text).toContain(`href="${file}" download`)
  expect(text).not.toMatch(/<script|javascript:|\son\w+=|https?:/)
  expect(headers['content-security-policy']).toMatch(
    /^default-src 'none'; style-src 'sha256-[A-Za-z0-9+/=]+'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; sandbox allow-downloads$/,
  )
})

test('names of others are text on the page, and not to be mistaken', async () => {
  const name = '<img src=x onerror=alert(1)>\u202Egpj.exe"&'
  const { url } = await oneGuestServer({ entry: { name, user: '<b>ben' } })
  const { text } = await fetchAs({ url: `${url}/${secret}` })
  expect(text).not.toContain('<img')
  expect(text).not.toContain('<b>')
  expect(text).not.toContain('\u202E')
  expect(text).toContain('\\u{202e}gpj.exe&quot;&amp;')
})

test('a file comes with its name, to be saved, with headers that let nothing run and tell nobody where it was', async () => {
  const one = await oneGuestServer()
  const { status, headers, text } = await fetchAs({ url: `${one.url}/${file}` })
  expect([status, text]).toEqual([200, '0123456789'])
  expect(headers).toMatchObject({
    'content-type': 'application/octet-stream',
    'content-length': '10',
    'content-disposition': `attachment; filename="a file.txt"; filename*=UTF-8''a%20file.txt`,
    'content-security-policy': "default-src 'none'; sandbox; frame-ancestors 'none'",
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
    'cross-origin-resource-policy': 'same-origin',
    'x-robots-tag': 'noindex',
    'cache-control': 'no-store',
    'accept-ranges': 'bytes',
    etag: '"id of a file.txt"',
  })
  expect(one.sent).toEqual(['a file.txt 0-10 to 127.0.0.1'])
})

test.each([
  [{ range: 'bytes=4-' }, 206, '456789', 'a file.txt 4-10 to 127.0.0.1'],
  [{ range: 'bytes=4-6', 'if-range': '"id of a file.txt"' }, 206, '456', 'a file.txt 4-7 to 127.0.0.1'],
  [{ range: 'bytes=4-6', 'if-range': '"another"' }, 200, '0123456789', 'a file.txt 0-10 to 127.0.0.1'],
  [{ range: 'bytes=0-1,3-4,6-7' }, 200, '0123456789', 'a file.txt 0-10 to 127.0.0.1'],
  [{ range: 'bytes=10-' }, 416, 'this part is beyond the end\n', undefined],
  [{ 'if-none-match': '"id of a file.txt"' }, 304, '', undefined],
])('asked with %j it sends that part, or nothing that counts', async (headers, status, text, sent) => {
  const one = await oneGuestServer()
  const answer = await fetchAs({ url: `${one.url}/${file}` }, headers)
  expect([answer.status, answer.text]).toEqual([status, text])
  expect(one.sent).toEqual(sent === undefined ? [] : [sent])
})

test('asked for the headers alone, it counts nothing', async () => {
  const one = await oneGuestServer()
  const { status, headers, text } = await fetchAs({ url: `${one.url}/${file}` }, {}, 'HEAD')
  expect([status, headers['content-length'], text, one.sent]).toEqual([200, '10', '', []])
})

test('a folder is an archive, or each of its files, and the page lists them', async () => {
  const one = await oneGuestServer({ entry: folderOf(['a/b c.txt', 'd%2f.txt']) })
  const page = await fetchAs({ url: `${one.url}/${secret}` })
  const targets = Array.from(page.text.matchAll(/href="([^"]+)"/g), ([, target]) => target)
  expect(targets).toEqual([`${secret}/trip.tar`, `${secret}/trip/a/b%20c.txt`, `${secret}/trip/d%252f.txt`])
  for (const target of targets) expect((await fetchAs({ url: `${one.url}/${target}` })).status).toBe(200)
  expect(one.sent.map((each) => each.split(' 0-')[0])).toEqual(['trip.tar', 'a/b c.txt', 'd%2f.txt'])
})

test('what is no link, and all that is not below one, is not found in the same words', async () => {
  const one = await oneGuestServer({ entry: { ...folderOf([]), open: async () => noSuchFile } })
  const paths = [
    ...['', 'favicon.ico', 'robots.txt', '.well-known/x', 'api/events', 'x'.repeat(42), `${'x'.repeat(42)}y`],
    ...[
      `${secret}/`,
      `${secret}/trip`,
      `${secret}/other`,
      `${secret}/trip/nothing`,
      `${secret}/trip/../../etc/passwd`,
    ],
    ...[
      `${secret}/trip/%2e%2e/%2e%2e/etc/passwd`,
      `${secret}/trip/..%2f..%2fetc%2fpasswd`,
      `${secret}/%`,
      `${secret}/%00`,
    ],
    ...[`/${secret}`, `${secret}?x`.replace('x?', '?'), 'x'.repeat(5000)],
  ]
  const { date: _date, ...expected } = (await fetchAs({ url: `${one.url}/nothing` })).headers
  for (const path of paths) {
    const { status, headers, text } = await fetchAs({ url: `${one.url}/${path}` })
    const { date: _now, ...others } = headers
    expect([path, status, text, others]).toEqual([path, 404, 'there is nothing here\n', expected])
  }
  expect(one.failures).toEqual([])
})

test('a link that has ended says so, on its page and in place of the file', async () => {
  const { url } = await oneGuestServer({ link: { ended: 'this link was taken back' } })
  for (const path of [secret, file])
    expect(await fetchAs({ url: `${url}/${path}` })).toMatchObject({
      status: 410,
      text: 'this link was taken back\n',
    })
})

test.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'PROPFIND', 'TRACE'])(
  '%s is refused, wherever',
  async (method) => {
    const one = await oneGuestServer()
    for (const path of [file, 'nothing'])
      expect((await fetchAs({ url: `${one.url}/${path}` }, {}, method)).status).toBe(405)
    expect(one.sent).toEqual([])
  },
)

test('the name under which it is asked changes nothing, and is not repeated', async () => {
  const { url } = await oneGuestServer()
  for (const host of ['evil.example', 'localhost', '127.0.0.1:1', 'a"b<c>']) {
    const page = await fetchAs({ url: `${url}/${secret}` }, { host })
    expect([page.status, page.text.includes(host)]).toEqual([200, false])
    expect(JSON.stringify(page.headers)).not.toContain(host)
  }
})

const get = `GET /${file} HTTP/1.1\r\nHost: h\r\n`

/** Which two programs may read in two ways, or which are meant for another one. */
const ambiguous: readonly (readonly [what: string, request: string])[] = [
  ['two lengths', `${get}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello`],
  ['a length and chunks', `${get}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
  ['chunks by another name', `${get}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`],
  ['a space before the colon', `${get}Content-Length : 5\r\n\r\nhello`],
  ['a folded line', `${get}X: a\r\n Content-Length: 5\r\n\r\nhello`],
  ['a line that ends without a return', `${get}X: a\nContent-Length: 5\r\n\r\nhello`],
  ['no name of a host', `GET /${file} HTTP/1.1\r\n\r\n`],
  ['headers that are too long', `${get}X: ${'a'.repeat(9000)}\r\n\r\n`],
  ['a body', `${get}Content-Length: 5\r\n\r\nhello`],
  ['a whole address of another server', `GET https://evil.example/${file} HTTP/1.1\r\nHost: h\r\n\r\n`],
]

test('a request that can be read in two ways is refused, and what stands behind it is none', async () => {
  const one = await oneGuestServer()
  for (const [what, request] of ambiguous) {
    const { socket, read, closed } = rawGuest(one)
    socket.write(`${request}${get}\r\n`)
    await closed
    expect([what, read()]).toEqual([what, expect.stringMatching(/^(HTTP\/1\.1 4\d\d |$)/)])
    expect(read().match(/HTTP\/1\.1/g)?.length ?? 0).toBeLessThan(2)
  }
  expect(one.sent).toEqual([])
})

test('a second request before the first is answered ends the connection', async () => {
  const one = await oneGuestServer({ send: () => new Promise(() => undefined) })
  const { socket, closed } = rawGuest(one)
  socket.write(`${get}\r\n${get}\r\n`)
  await closed
  expect(one.sent.length).toBeLessThan(2)
})
