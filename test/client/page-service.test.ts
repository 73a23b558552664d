// The page of a client, from the first who asks for it.

import { createServer } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import { PageService } from '../../src/client/page-service.ts'
import { listenOn } from '../../src/common/listening.ts'
import { ask, noContents, pageFolder, pathOf } from '../web/server/one-page.ts'
import { fakeClient } from './prompt/fake-operations.ts'
import { temporaryFolder } from './temporary-folder.ts'

function service(folder = pageFolder()): PageService {
  const { operations } = fakeClient()
  const page = new PageService(() => ({ operations, subscribe: () => () => {}, onFailure: () => {} }), folder)
  onTestFinished(() => page.close())
  return page
}

async function linkOf(page: PageService, port?: number): Promise<string> {
  const shown = await page.show(port, noContents)
  return shown.ok ? shown.value.link : shown.refusal.sentence
}

test('who asks later gets a link to the same page, and both links are good', async () => {
  const page = service()
  const links = await Promise.all([linkOf(page), linkOf(page), linkOf(page, 0)])
  const ports = new Set(links.map((link) => new URL(link).port))
  expect([ports.size, new Set(links).size]).toEqual([1, 3])
  const [port = ''] = ports
  for (const link of links) expect((await ask(Number(port), pathOf(link))).status).toBe(200)
})

test('one who names another port is told where the page is', async () => {
  const page = service()
  const { port } = new URL(await linkOf(page))
  expect(await linkOf(page, Number(port))).toContain(`:${port}/open?token=`)
  expect(await linkOf(page, 1)).toBe(
    `the page is at port ${port} already; leave the other port out: show_page, or --web alone`,
  )
})

test('a port that is taken is refused, and another one may be named then', async () => {
  const other = createServer()
  const { port } = await listenOn(other, { host: '127.0.0.1', port: 0 })
  onTestFinished(() => void other.close())
  const page = service()
  await expect(page.show(port, noContents)).rejects.toThrow(
    `cannot listen on 127.0.0.1:${port}: another program uses this port`,
  )
  expect(await linkOf(page)).toContain('http://127.0.0.1:')
})

test('a build without the page says so', async () => {
  const folder = temporaryFolder()
  await expect(service(folder).show(undefined, noContents)).rejects.toThrow(
    `there is no page in ${folder}; build Coterie again`,
  )
})

test('after the end nobody gets a link, and nothing listens', async () => {
  const page = service()
  const link = await linkOf(page)
  await page.close()
  await expect(ask(Number(new URL(link).port), '/')).rejects.toThrow('ECONNREFUSED')
  expect(await linkOf(page)).toBe('the program is ending')
})
