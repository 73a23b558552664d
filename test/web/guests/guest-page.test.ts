// The page at a link in a real browser, under the policy that is sent with it: from the link to the file.

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { AxeResults } from 'axe-core'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { hasBrowser, looks, startBrowser, withBrowser, type Look } from '../page/browser.ts'
import { folderOf, oneGuestServer, secret, type Fakes } from './one-guest-server.ts'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

describe.skipIf(!hasBrowser)(`the page of a guest${withBrowser}`, () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await startBrowser()
  })
  afterAll(async () => {
    await browser?.close()
  })

  /** `bypassCSP`: to run axe-core, which the policy of the page forbids. */
  async function opened(
    fakes: Fakes,
    {
      look = { width: 1600, colours: 'light' },
      bypassCSP = false,
    }: { look?: Look; bypassCSP?: boolean } = {},
  ): Promise<{ page: Page; problems: string[] }> {
    const { url } = await oneGuestServer(fakes)
    const { width, colours } = look
    const viewport = { width, height: 800 }
    const context = await browser.newContext({
      ...{ viewport, colorScheme: colours, ignoreHTTPSErrors: true, acceptDownloads: true, bypassCSP },
    })
    onTestFinished(() => context.close())
    const page = await context.newPage()
    const problems: string[] = []
    page.on('console', (message) => {
      if (message.type() === 'error') problems.push(message.text())
    })
    await page.goto(`${url}/${secret}`)
    return { page, problems }
  }

  test('a button saves the file, under its name', async () => {
    const { page, problems } = await opened({})
    const coming = page.waitForEvent('download')
    await page.getByRole('link', { name: 'Save the file' }).click()
    const download = await coming
    expect(download.suggestedFilename()).toBe('a file.txt')
    expect(readFileSync(await download.path(), 'utf8')).toBe('0123456789')
    expect(problems).toEqual([])
  })

  test('a folder is saved as an archive, and each of its files by itself', async () => {
    const { page, problems } = await opened({ entry: folderOf(['day 1/ünï.txt', 'b.txt']) })
    for (const [link, name] of [
      ['Save all as a tar archive', 'trip.tar'],
      ['day 1/ünï.txt', 'day 1/ünï.txt'],
    ] as const) {
      const coming = page.waitForEvent('download')
      await page.getByRole('link', { name: link, exact: true }).click()
      // In the fake, contents are called by their paths; a browser makes one name of one.
      expect((await coming).suggestedFilename()).toBe(name.replace('/', '_'))
    }
    expect(problems).toEqual([])
  })

  for (const look of looks)
    test(`has no finding of axe-core, and is not wider than the screen: ${look.width} px, ${look.colours}`, async () => {
      const fakes = { entry: folderOf(['a.txt', `${'long'.repeat(60)}.txt`]) }
      const { page } = await opened(fakes, { look, bypassCSP: true })
      await page.evaluate(axe)
      const results = (await page.evaluate('axe.run()')) as AxeResults
      expect(
        results.violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`)),
      ).toEqual([])
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(look.width)
    })
})
