// What pages are told as it happens.

import { request, type IncomingMessage } from 'node:http'
import { expect, onTestFinished, test, vi } from 'vitest'
import { clientProgram } from '../../../src/common/version.ts'
import { ask, browser, linesOf, onePage, rawConnection, type Browser, type OnePage } from './one-page.ts'

interface Listening {
  readonly read: () => string
  readonly response: IncomingMessage
  readonly leave: () => void
}

async function listen({ port }: OnePage, headers: Browser): Promise<Listening> {
  const response = await new Promise<IncomingMessage>((resolve, reject) =>
    request({ host: '127.0.0.1', port, path: '/api/events', headers: { ...headers } }, resolve)
      .on('error', reject)
      .end(),
  )
  let text = ''
  response.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')))
  response.on('error', () => undefined)
  const leave = (): void => void response.destroy()
  onTestFinished(leave)
  return { read: () => text.replace(/("fileKey":")[\w-]{43}/, '$1key'), response, leave }
}

/** What is said of a key stands where the key is. */
const hello = (user?: string): string =>
  `event: hello\ndata: ${JSON.stringify({ user, program: clientProgram, fileKey: 'key' })}\n\n`

test('a page is told who is logged in, and then what happens', async () => {
  const page = await onePage()
  await page.client.operations.login('ann', 'secret')
  const { read, response } = await listen(page, await browser(page))
  expect(response.headers['content-type']).toBe('text/event-stream')
  await vi.waitFor(() => expect(read()).toBe(hello('ann')))
  page.client.emit({ kind: 'notice', sentence: 'two\nlines' })
  page.client.emit({ kind: 'user-changed', user: undefined })
  await vi.waitFor(() =>
    expect(read()).toBe(
      `${hello('ann')}event: event\ndata: {"kind":"notice","sentence":"two\\nlines"}\n\n` +
        'event: event\ndata: {"kind":"user-changed"}\n\n',
    ),
  )
})

test('two tabs are told the same, and one that leaves is forgotten', async () => {
  const page = await onePage()
  const headers = await browser(page)
  const [one, two] = [await listen(page, headers), await listen(page, headers)]
  page.client.emit({ kind: 'tracker-back' })
  await vi.waitFor(() =>
    expect([one.read(), two.read()].every((text) => text.includes('tracker-back'))).toBe(true),
  )
  one.leave()
  await vi.waitFor(() => expect(page.server.listening).toBe(1))
  page.client.emit({ kind: 'notice', sentence: 'later' })
  await vi.waitFor(() => expect(two.read()).toContain('later'))
  expect(one.read()).not.toContain('later')
})

test('a quiet page gets a comment every fifteen seconds', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  onTestFinished(() => void vi.useRealTimers())
  const page = await onePage()
  const { read } = await listen(page, await browser(page))
  await vi.waitFor(() => expect(read()).toBe(hello()))
  vi.advanceTimersByTime(15_000)
  await vi.waitFor(() => expect(read()).toBe(`${hello()}:\n\n`))
})

test('a tab that does not read is cut, and the others go on', async () => {
  const page = await onePage()
  const headers = await browser(page)
  const other = await listen(page, headers)
  const { socket, read, closed } = rawConnection(page.port)
  socket.write(`GET /api/events HTTP/1.1\r\nHost: 127.0.0.1:${page.port}\r\n${linesOf(headers)}\r\n`)
  await vi.waitFor(() => expect(read()).toContain('hello'))
  socket.pause()
  const sentence = 'x'.repeat(16 * 1024)
  // The system takes some megabytes for a connection before it is felt here.
  for (let count = 0; count < 4000 && page.server.listening === 2; count++) {
    page.client.emit({ kind: 'notice', sentence })
    const seen = other.read().length
    await vi.waitFor(() => expect(other.read().length).toBeGreaterThan(seen - 1), { interval: 1 })
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect(page.server.listening).toBe(1)
  socket.resume()
  await closed
  page.client.emit({ kind: 'notice', sentence: 'last' })
  await vi.waitFor(() => expect(other.read()).toContain('last'))
})

test('of many tabs those that come too late are told so', async () => {
  const page = await onePage()
  const headers = await browser(page)
  for (let count = 0; count < 32; count++) await listen(page, headers)
  const late = await ask(page.port, '/api/events', { headers })
  expect([late.status, late.json()['code']]).toEqual([429, 'too-many'])
})

test('when the client ends, tabs are told by the end of their events', async () => {
  const page = await onePage()
  const { response } = await listen(page, await browser(page))
  const ended = new Promise<void>((resolve) => response.once('close', () => resolve()))
  await page.server.close()
  await ended
  expect(page.listeners.size).toBe(0)
})
