// The page of the built client: from the link that it prints to the bytes of a shared folder, and its end.

import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { ask, asPage, pathOf } from '../web/server/one-page.ts'
import type { Program } from './programs.ts'
import { contentOf, World } from './world.ts'

const isBuilt = existsSync(new URL('../../dist/web/page/index.html', import.meta.url))

let world: World
beforeAll(async () => {
  world = await World.make()
})
afterAll(() => world.close())

/** A client that says on standard error where its page is. */
function serving(name: string, ...words: readonly string[]): Program {
  const addresses = ['127.0.0.1', '0', '127.0.0.1', String(world.trackerPort)]
  return world.run(name, 'client', [...addresses, '--data-dir', world.path(name), '--web', ...words])
}

async function linkOf(program: Program): Promise<string> {
  return vi.waitFor(
    () => {
      const [, link = ''] =
        /^page: (http:\/\/127\.0\.0\.1:\d+\/open\?token=[\w-]+) \(opens once/m.exec(program.stderr) ?? []
      expect(link).not.toBe('')
      return link
    },
    { timeout: 30_000 },
  )
}

/** The headers of a browser that opened the link, and the port. */
async function open(link: string): Promise<{ headers: Record<string, string>; port: number }> {
  const port = Number(new URL(link).port)
  const { headers } = await ask(port, pathOf(link))
  const [cookie = ''] = headers['set-cookie'] ?? []
  return { headers: { cookie: cookie.split(';')[0] ?? '' }, port }
}

// Without the page in the build there is nothing to serve.
describe.skipIf(!isBuilt)('the page of the built client', () => {
  test('a link opens it, and it asks and shows what the prompt does', async () => {
    await world.account('ann')
    const ann = serving('ann')
    const { headers, port } = await open(await linkOf(ann))
    expect((await ask(port, '/', { headers })).headers['content-type']).toContain('text/html')
    const login = await ask(port, '/api/login', asPage(headers, ['ann', 'secret']))
    expect(login.json()).toEqual({ ok: true })
    expect(await ann.say('whoami')).toBe('ann')
    await ann.does('create_group g')
    const folder = world.path('trips')
    mkdirSync(folder)
    const bytes = contentOf('photo', 700_000)
    writeFileSync(join(folder, 'photo.jpg'), bytes)
    const shared = await ask(port, '/api/uploadFile', asPage(headers, [folder, 'g']))
    expect(shared.json()).toMatchObject({ ok: true, value: { name: 'trips', files: 1 } })
    const photo = await ask(port, '/api/files/g/trips?path=photo.jpg', { headers })
    expect([photo.headers['content-type'], photo.body.equals(bytes)]).toEqual(['image/jpeg', true])
    const part = await ask(port, '/api/files/g/trips?path=photo.jpg', {
      headers: { ...headers, range: 'bytes=-9' },
    })
    expect([part.status, part.body.equals(bytes.subarray(-9))]).toEqual([206, true])
    expect((await ann.quit()).code).toBe(0)
    await expect(ask(port, '/', { headers })).rejects.toThrow('ECONNREFUSED')
  })

  test('another terminal gets a link to the same page, and show_page another one', async () => {
    const ben = serving('ben')
    const first = new URL(await linkOf(ben))
    const other = serving('ben', '-e', 'whoami')
    const second = new URL(await linkOf(other))
    const [third = ''] = await ben.ask('show_page')
    expect([second.port, new URL(third).port]).toEqual([first.port, first.port])
    for (const link of [first, second, third]) {
      const { headers, port } = await open(String(link))
      expect((await ask(port, '/api/showDownloads', asPage(headers, []))).json()).toEqual({
        ok: true,
        value: [],
      })
    }
    await ben.quit()
  })
})
