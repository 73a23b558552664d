// Who may ask the page server, and what it tells everybody else.

import { expect, test, vi } from 'vitest'
import { ask, asPage, browser, linesOf, onePage, pathOf, rawConnection } from './one-page.ts'

test('a link opens the page, with a cookie for the browser and a key for its scripts', async () => {
  const page = await onePage()
  const opened = await ask(page.port, pathOf(page.server.link()))
  expect([opened.status, opened.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8'])
  const [cookie = ''] = opened.headers['set-cookie'] ?? []
  expect(cookie.split('; ').slice(1)).toEqual(['Path=/', 'HttpOnly', 'SameSite=Strict'])
  expect(opened.headers['cache-control']).toBe('no-store')
  // Cookies are of a host, whatever the port: two clients must not take each other's away.
  expect(cookie).toMatch(new RegExp(`^coterie-${page.port}=[\\w-]{43};`))
  const [, key = ''] = /<head><meta name="key" content="([\w-]{43})" \/>/.exec(opened.text) ?? []
  expect(cookie).not.toContain(key)
  expect((await ask(page.port, '/')).text).not.toContain('name="key"')
})

test('whoever has got the cookie, by another port of this machine, is told nothing and changes nothing', async () => {
  const page = await onePage()
  const { cookie, 'x-coterie': key } = await browser(page)
  const old = await browser(await onePage())
  const guesses = [undefined, '', '1', key.slice(1), `${key}x`, cookie, old['x-coterie']]
  for (const guess of guesses) {
    const headers = { cookie, ...(guess !== undefined && { 'x-coterie': guess }) }
    const answers = [
      await ask(page.port, '/api/events', { headers }),
      await ask(page.port, '/api/listGroups', asPage(headers, [])),
      await ask(page.port, '/api/files/g/f', { headers }),
      await ask(page.port, '/api/drop?group=g&name=f&folder=/tmp', { method: 'POST', headers, body: 'x' }),
    ]
    for (const answer of answers) expect([answer.status, answer.json()['code']]).toEqual([403, 'no-key'])
    expect(answers[0]?.json()['sentence']).toMatch(/without the key of the page was refused.*show_page/)
  }
  // Nor does the page give the key away for it, whatever he opens.
  for (const path of ['/', '/open', '/open?token=guess', '/page.js'])
    expect((await ask(page.port, path, { headers: { cookie } })).text).not.toContain(key)
  expect(page.client.calls).toEqual([])
})

test('a link is opened once, and the refusal says how to get another', async () => {
  const page = await onePage()
  const path = pathOf(page.server.link())
  await ask(page.port, path)
  const again = await ask(page.port, path)
  expect([again.status, again.headers['set-cookie'], again.headers['content-type']]).toEqual([
    403,
    undefined,
    'text/plain; charset=utf-8',
  ])
  expect(again.text).toMatch(/opened before.*show_page/)
})

test('a browser that is known comes to the page by an old link too', async () => {
  const page = await onePage()
  const path = pathOf(page.server.link())
  const [cookie = ''] = (await ask(page.port, path)).headers['set-cookie'] ?? []
  const again = await ask(page.port, path, { headers: { cookie: cookie.split(';')[0] ?? '' } })
  expect([again.status, again.headers['location'], again.headers['set-cookie']]).toEqual([
    303,
    '/',
    undefined,
  ])
})

test('looking at a link does not use it up', async () => {
  const page = await onePage()
  const path = pathOf(page.server.link())
  expect((await ask(page.port, path, { method: 'HEAD' })).status).toBe(405)
  expect((await ask(page.port, path)).status).toBe(200)
})

test('a name that leads to this machine is not its name', async () => {
  const page = await onePage()
  const headers = await browser(page)
  const { port } = page
  for (const host of [
    'evil.example',
    `evil.example:${port}`,
    '127.0.0.1',
    `127.0.0.1:${port + 1}`,
    `localhost.:${port}`,
  ]) {
    for (const path of ['/', '/open', '/api/events', '/api/listGroups']) {
      const answer = await ask(port, path, { headers: { ...headers, host } })
      expect([host, answer.status]).toEqual([host, 403])
      expect(answer.text).toContain(`http://127.0.0.1:${port}/`)
    }
  }
  const refused = await ask(port, '/api/events', { headers: { ...headers, host: 'evil.example' } })
  expect(refused.json()).toMatchObject({ ok: false, code: 'wrong-host' })
  const local = await ask(port, '/api/showDownloads', {
    ...asPage({ ...headers, host: `localhost:${port}` }, []),
  })
  expect(local.json()).toEqual({ ok: true, value: [] })
})

test('what another page sends is refused, with the cookie too', async () => {
  const page = await onePage()
  const headers = await browser(page)
  const asked = asPage(headers, [])
  const own = `http://127.0.0.1:${page.port}`
  const others = [
    'http://evil.example',
    'null',
    `http://localhost:${page.port}`,
    `http://127.0.0.1:1`,
    `${own}/`,
  ]
  for (const origin of others) {
    const answer = await ask(page.port, '/api/logout', { ...asked, headers: { ...asked.headers, origin } })
    expect([origin, answer.status, answer.json()['code']]).toEqual([origin, 403, 'other-page'])
  }
  for (const site of ['cross-site', 'same-site']) {
    const answer = await ask(page.port, '/api/events', { headers: { ...headers, 'sec-fetch-site': site } })
    expect([site, answer.status]).toEqual([site, 403])
  }
  expect(page.client.calls).toEqual([])
  const mine = await ask(page.port, '/api/logout', {
    ...asked,
    headers: { ...asked.headers, origin: own, 'sec-fetch-site': 'same-origin' },
  })
  expect(mine.json()).toEqual({ ok: true })
  expect(page.client.calls).toEqual(['logout()'])
})

test('without the cookie of this client nothing is told or done', async () => {
  const page = await onePage()
  const other = await onePage()
  const { cookie, ...key } = await browser(page)
  const foreign = await browser(other)
  const none: Record<string, string> = {}
  for (const shown of [none, { cookie: `coterie-${page.port}=` }, { cookie: `${cookie}x` }, foreign]) {
    const answer = await ask(page.port, '/api/logout', asPage({ ...key, ...shown }, []))
    expect([answer.status, answer.json()['code']]).toEqual([401, 'no-cookie'])
    expect(answer.json()['sentence']).toContain('show_page')
    expect((await ask(page.port, '/api/events', { headers: { ...shown, ...key } })).status).toBe(401)
  }
  expect(page.client.calls).toEqual([])
  const among = await ask(page.port, '/api/logout', asPage({ ...key, cookie: `a=b; ${cookie};c=d` }, []))
  expect(among.status).toBe(200)
})

test('a form of another page does nothing, whatever its type', async () => {
  const page = await onePage()
  const { cookie, ...key } = await browser(page)
  const body = '{"given":[]}'
  const types = ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']
  for (const type of types) {
    const form = { method: 'POST', headers: { cookie, 'content-type': type }, body }
    const answer = await ask(page.port, '/api/logout', form)
    expect([answer.status, answer.json()['code']]).toEqual([403, 'no-key'])
    const scripted = { ...form, headers: { ...form.headers, ...key } }
    expect((await ask(page.port, '/api/logout', scripted)).json()['code']).toBe('bad-request')
  }
  expect(page.client.calls).toEqual([])
})

test('every answer says that the page is in no frame, runs nothing from elsewhere and is told to nobody', async () => {
  const page = await onePage()
  const headers = await browser(page)
  const answers = [
    await ask(page.port, '/'),
    await ask(page.port, '/nothing'),
    await ask(page.port, '/', { headers: { host: 'evil.example' } }),
    await ask(page.port, '/', { method: 'PUT' }),
    await ask(page.port, pathOf(page.server.link())),
    await ask(page.port, '/api/whoami', asPage(headers, [])),
    await ask(page.port, '/api/doctor', asPage(headers, [])),
  ]
  for (const { headers: sent } of answers) {
    const policy = String(sent['content-security-policy'])
    expect(policy).toMatch(/^default-src 'none';/)
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toContain('unsafe')
    expect(sent).toMatchObject({
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
    })
    expect(Object.keys(sent).filter((name) => name.startsWith('access-control'))).toEqual([])
  }
})

test('other methods are refused, and no page elsewhere is allowed anything', async () => {
  const page = await onePage()
  const headers = await browser(page)
  for (const method of ['OPTIONS', 'PUT', 'DELETE', 'PATCH', 'TRACE', 'PROPFIND']) {
    const answer = await ask(page.port, '/api/logout', { method, headers })
    expect([method, answer.status]).toEqual([method, 405])
  }
  expect((await ask(page.port, '/api/events', { method: 'HEAD', headers })).status).toBe(405)
  expect((await ask(page.port, '/api/logout', { headers })).status).toBe(404)
  expect(page.client.calls).toEqual([])
})

test('the page is its files and nothing else', async () => {
  const { port } = await onePage()
  const start = await ask(port, '/')
  expect([start.status, start.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8'])
  expect((await ask(port, '/page.js')).headers['content-type']).toBe('text/javascript; charset=utf-8')
  expect((await ask(port, '/fonts/one.woff2')).text).toBe('font')
  const head = await ask(port, '/page.js', { method: 'HEAD' })
  expect([head.status, head.headers['content-length'], head.text]).toEqual([200, '9', ''])
  const paths = [
    '/secret.txt',
    '/../../../etc/passwd',
    '/%2e%2e/%2e%2e/etc/passwd',
    '/..%2f..%2fetc/passwd',
    '/fonts/..%5c..%5csecret.txt',
    '/fonts/../secret.txt',
    '//secret.txt',
    '/page.js%00.html',
    '/page.js/',
    '/fonts',
    '/constructor',
    '/__proto__',
    '/%',
  ]
  for (const path of paths) expect([path, (await ask(port, path)).status]).toEqual([path, 404])
})

test('a file of the page that the browser has is not sent again', async () => {
  const { port } = await onePage()
  const tag = String((await ask(port, '/page.js')).headers['etag'])
  const again = await ask(port, '/page.js', { headers: { 'if-none-match': tag } })
  expect([again.status, again.text]).toEqual([304, ''])
})

test('what is asked for elsewhere is not fetched', async () => {
  const { port, failures } = await onePage()
  for (const target of ['http://evil.example/', '*', 'evil']) {
    const { socket, read, closed } = rawConnection(port)
    socket.write(`GET ${target} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`)
    await closed
    expect([target, read().split(' ')[1]]).toEqual([target, '400'])
  }
  expect(failures).toEqual([])
})

test('requests that are sent before the answer to the last one end the connection', async () => {
  const page = await onePage()
  const shown = linesOf(await browser(page))
  page.client.answers.doctor = () => new Promise(() => undefined)
  const { socket, closed } = rawConnection(page.port)
  const one = `POST /api/doctor HTTP/1.1\r\nHost: 127.0.0.1:${page.port}\r\n${shown}Content-Type: application/json\r\nContent-Length: 12\r\n\r\n{"given":[]}`
  socket.write(one)
  await vi.waitFor(() => expect(page.client.calls).toEqual(['doctor()']))
  socket.write(one)
  await closed
  expect(page.client.calls).toEqual(['doctor()'])
})

test('strangers who hold connections leave room for the page', async () => {
  const page = await onePage()
  const headers = await browser(page)
  const silent = Array.from({ length: 100 }, () => rawConnection(page.port))
  await Promise.all(silent.slice(0, 60).map(({ closed }) => closed))
  expect((await ask(page.port, '/api/showDownloads', asPage(headers, []))).status).toBe(200)
})

test('who says nothing, or never comes to an end, is sent away', async () => {
  const page = await onePage({ headersWithinMs: 200 })
  const slow = ['', 'GET / HTTP/1.1\r\nHo', `GET / HTTP/1.1\r\nHost: 127.0.0.1:${page.port}\r\n`].map(
    (begin) => {
      const connection = rawConnection(page.port)
      if (begin !== '') connection.socket.write(begin)
      return connection
    },
  )
  await Promise.all(slow.map(({ closed }) => closed))
  for (const { read } of slow) expect(read()).toMatch(/^HTTP\/1.1 408/)
})

test('headers that are too long are refused', async () => {
  const { port } = await onePage()
  const { socket, read, closed } = rawConnection(port)
  socket.write(`GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`)
  await closed
  expect(read()).toMatch(/^HTTP\/1.1 431/)
})
