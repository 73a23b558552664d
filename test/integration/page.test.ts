// The page with the real client behind it, in a real browser: from the printed link to a finished download.

import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { dropFiles, hasBrowser, openPage, startBrowser, withBrowser } from '../web/page/browser.ts'
import type { Program } from './programs.ts'
import { filmOf, pictureOf, soundOf } from './media.ts'
import { contentOf, MiB, World } from './world.ts'

describe.skipIf(!hasBrowser)(`the page of a client${withBrowser}`, () => {
  let world: World
  let browser: Browser
  let [ann, ben]: readonly (Program | undefined)[] = []
  beforeAll(async () => {
    world = await World.make()
    browser = await startBrowser()
    ;[ann, ben] = await world.users('ann', 'ben')
    await ann?.does('create_group family')
  })
  afterAll(async () => {
    await browser?.close()
    await world?.close()
  })

  /** By a link that the prompt prints. */
  async function pageOf(client: Program | undefined): Promise<Page> {
    const link = /http:\S+/.exec((await client?.say('show_page')) ?? '')?.[0] ?? ''
    const { page, context } = await openPage(browser, link)
    // What nobody looks at any more would go on drawing.
    onTestFinished(() => context.close())
    return page
  }

  test('somebody asks to join, is accepted, fetches what is shared, and looks at it, all by pages', async () => {
    const [first, second] = [await pageOf(ann), await pageOf(ben)]
    await second.getByRole('button', { name: 'Ask to join family' }).click()
    await first.getByRole('link', { name: 'family' }).click()
    await first.getByRole('button', { name: 'Accept ben' }).click()
    await second.getByRole('link', { name: 'family' }).click()
    const path = world.makeFile('film.bin', 8 * MiB)
    await first.getByLabel('Path of a file or folder').fill(path)
    await first.getByRole('button', { name: 'Share it' }).click()
    await first.getByRole('link', { name: 'film.bin' }).click()
    await first.getByText('shared from here').waitFor()
    await ann?.does('limit upload 512K')

    await second.reload()
    await second.getByRole('link', { name: 'film.bin' }).click()
    await second.getByLabel('Folder or path on this computer').fill(world.path('copy.bin'))
    await second.getByRole('button', { name: 'Download', exact: true }).click()
    await second.getByRole('row').filter({ hasText: 'ann@127.0.0.1' }).waitFor()
    await first.getByText(/The last of them will have it in about/).waitFor()
    // A second tab, and a reload in the middle.
    const tab = await second.context().newPage()
    await tab.goto(second.url())
    await second.reload()
    await second.getByRole('button', { name: 'Pause film.bin' }).click()
    await tab.getByRole('button', { name: 'Resume film.bin' }).click()
    await ann?.does('limit upload none')
    await second.getByText(/^film\.bin of family is complete/).waitFor()
    await tab
      .getByText(/Shared from here|Complete, 8/)
      .first()
      .waitFor()
    expect(readFileSync(world.path('copy.bin')).equals(contentOf('film.bin', 8 * MiB))).toBe(true)
  }, 90_000)

  test('a picture, a text, a sound and a film are looked at while they arrive', async () => {
    const [owner, page] = [ann, await pageOf(ben)]
    if (owner !== undefined && ben !== undefined) await world.group('cinema', owner, ben)
    const size = 16 * MiB
    const media: Readonly<Record<string, Buffer>> = {
      'picture.png': pictureOf(size),
      'text.txt': Buffer.alloc(size, 'all is <b>well</b>\n'),
      'sound.wav': soundOf(size),
      'film.webm': await filmOf(page, size),
    }
    for (const [name, bytes] of Object.entries(media)) {
      writeFileSync(world.path(name), bytes)
      await owner?.does(`upload_file ${world.path(name)} cinema`)
    }
    await owner?.does('limit upload 512K')
    const look = async (name: string): Promise<void> => {
      await ben?.does(`download_file cinema ${name} ${world.path(`copy-of-${name}`)}`)
      await page.goto(`${new URL(page.url()).origin}/#/groups/cinema/${name}`)
      await page.getByRole('button', { name: name === 'sound.wav' ? 'Listen' : 'Look at it' }).click()
    }
    // Not Playwright's own way to wait, which the policy of the page forbids.
    const expectTrue = (script: string): Promise<void> =>
      vi.waitFor(async () => expect([script, await page.evaluate(script)]).toEqual([script, true]), {
        timeout: 20_000,
      })
    const expectArriving = async (name: string): Promise<void> => {
      await page.getByText(/^Downloading, /).waitFor()
      // The next one has the line for itself.
      if (name !== 'picture.png') await ben?.does(`pause_download cinema ${name}`)
    }

    await look('text.txt')
    await page.getByText('all is <b>well</b>').waitFor()
    await expectArriving('text.txt')
    await look('sound.wav')
    await expectTrue("document.querySelector('audio')?.currentTime > 0")
    await expectArriving('sound.wav')
    await look('film.webm')
    // Its first picture is here; Chromium begins it by itself when it thinks that the rest comes in time.
    await expectTrue("document.querySelector('video')?.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA")
    await page.evaluate("document.querySelector('video').play()")
    await expectTrue("document.querySelector('video')?.currentTime > 0")
    await expectArriving('film.webm')
    await look('picture.png')
    await expectTrue("document.querySelector('img')?.naturalWidth > 0")
    await expectArriving('picture.png')
    await owner?.does('limit upload none')
    await expectTrue("document.querySelector('img')?.complete")
  }, 90_000)

  test('a file that is dropped is copied to the folder that the page names, shared, and read in the page of another member', async () => {
    const [first, second] = [await pageOf(ann), await pageOf(ben)]
    await first.getByRole('link', { name: 'family' }).click()
    await first.getByLabel('for copies of dropped files').fill(world.makeFolder('copies'))
    const text = 'milk <b>and</b> bread'
    await dropFiles(first, { 'list.txt': text })
    await first.getByRole('link', { name: 'list.txt' }).waitFor()
    expect(readFileSync(world.path('copies', 'list.txt'), 'utf8')).toBe(text)

    await second.getByRole('link', { name: 'family' }).click()
    await second.getByRole('link', { name: 'list.txt' }).click()
    await second.getByLabel('Folder or path on this computer').fill(world.path('list.txt'))
    await second.getByRole('button', { name: 'Download', exact: true }).click()
    await second.getByRole('button', { name: 'Look at it' }).click()
    await second.getByText(text).waitFor()
  }, 90_000)

  test('a server on another port gets the cookie, and can do nothing with it', async () => {
    const page = await pageOf(ann)
    await page.getByRole('heading', { name: 'Groups' }).waitFor()
    const { origin } = new URL(page.url())
    let cookie = ''
    const other = createServer(({ headers }, response) => {
      cookie = headers.cookie ?? ''
      response.end('<!doctype html><title>other</title>')
    })
    other.listen(0, '127.0.0.1')
    await once(other, 'listening')
    onTestFinished(() => void other.close())
    await page.goto(`http://127.0.0.1:${(other.address() as AddressInfo).port}/`)
    expect(cookie).toMatch(/^coterie-\d+=/)
    // Neither his program, nor his page in that browser.
    for (const key of [undefined, '1']) {
      const headers = { cookie, 'content-type': 'application/json', ...(key && { 'x-coterie': key }) }
      const answer = await fetch(`${origin}/api/listGroups`, {
        method: 'POST',
        headers,
        body: '{"given":[]}',
      })
      expect(await answer.json()).toMatchObject({ ok: false, code: 'no-key' })
    }
    const script = `fetch('${origin}/api/events', { credentials: 'include' }).then(() => 'told', () => 'refused')`
    expect(await page.evaluate(script)).toBe('refused')
    expect(await page.evaluate('localStorage.length')).toBe(0)
    await page.goto(origin)
    await page.getByRole('link', { name: 'family' }).waitFor()
  })

  test('a client that was started again says how this browser is let in, and its download goes on there', async () => {
    const cem = await world.user('cem')
    if (ann !== undefined) await world.group('opera', ann, cem)
    await ann?.does(`upload_file ${world.makeFile('opera.bin', 8 * MiB)} opera`)
    await ann?.does('limit upload 512K')
    await cem.does(`download_file opera opera.bin ${world.path('copy-of-opera.bin')}`)
    const port = Number(/:(\d+)\//.exec(await cem.say('show_page'))?.[1])
    const page = await pageOf(cem)
    await page.getByRole('link', { name: 'opera' }).click()
    await page.getByRole('link', { name: 'opera.bin' }).click()
    const arrives = page.getByText(/^Downloading, 8/)
    await arrives.waitFor()
    await page.getByRole('row').filter({ hasText: 'ann@127.0.0.1' }).waitFor()
    await cem.kill()
    await page.getByText('the client does not answer').waitFor()
    // Not `world.client`, which must be silent on standard error: the link is printed there.
    const addresses = ['127.0.0.1', '0', '127.0.0.1', String(world.trackerPort)]
    const words = [...addresses, '--data-dir', world.path('cem'), '--web', String(port)]
    const again = world.run('cem', 'client', words)
    await again.does('login cem secret')
    await page.getByRole('status').getByText('type show_page at its prompt').waitFor()
    // In another tab, and this one goes on by itself.
    const tab = await page.context().newPage()
    await tab.goto(/http:\S+/.exec(await again.say('show_page'))?.[0] ?? '')
    await tab.getByRole('heading', { name: 'Groups' }).waitFor()
    expect(tab.url()).not.toContain('token')
    await page.getByText('type show_page at its prompt').waitFor({ state: 'detached' })
    await arrives.waitFor()
    await page.getByRole('row').filter({ hasText: 'ann@127.0.0.1' }).waitFor()
    await ann?.does('limit upload none')
    await page.getByText(/^opera\.bin of opera is complete/).waitFor()
    expect(readFileSync(world.path('copy-of-opera.bin')).equals(contentOf('opera.bin', 8 * MiB))).toBe(true)
  }, 90_000)
})
