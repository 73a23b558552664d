// Debian's Chromium for tests of the page, where there is one.

import { existsSync } from 'node:fs'
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core'

const path = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)

/** For the title of a group of tests. */
export const withBrowser = path === undefined ? ' (skipped: chromium is not installed)' : ''
export const hasBrowser = path !== undefined

/**
 * Root, as in a container, may not use Chromium's own sandbox; the pages are ours. `trustedKey`: the SHA-256 of the key of a
 * certificate, in base64: nobody has to vouch for that one, and somebody for all others.
 */
export function startBrowser(trustedKey?: string): Promise<Browser> {
  const trusts = trustedKey === undefined ? [] : [`--ignore-certificate-errors-spki-list=${trustedKey}`]
  const args = ['--no-sandbox', '--disable-dev-shm-usage', ...trusts]
  return chromium.launch({ executablePath: path, args })
}

export interface Look {
  readonly width: number
  readonly colours: 'light' | 'dark'
}

/** Wide and narrow, light and dark. */
export const looks: readonly Look[] = [1600, 360].flatMap((width) =>
  (['light', 'dark'] as const).map((colours) => ({ width, colours })),
)

/** What a page must not do shows in `problems`: errors, and what its policy forbids. `script` runs before those of the page. */
export async function openPage(
  browser: Browser,
  link: string,
  { width, colours }: Look = { width: 1600, colours: 'light' },
  script?: string,
): Promise<{ readonly page: Page; readonly context: BrowserContext; readonly problems: string[] }> {
  const context = await browser.newContext({
    viewport: { width, height: width < 600 ? 800 : 1000 },
    colorScheme: colours,
    reducedMotion: 'reduce',
  })
  const page = await context.newPage()
  if (script !== undefined) await page.addInitScript(script)
  const problems: string[] = []
  page.on('pageerror', (error) => problems.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text())
  })
  await page.goto(link)
  return { page, context, problems }
}

/** Drops files of text into the field for them, as a browser tells the page of it. */
export async function dropFiles(page: Page, files: Readonly<Record<string, string>>): Promise<void> {
  const dataTransfer = await page.evaluateHandle(`(() => {
    const carried = new DataTransfer()
    for (const [name, text] of ${JSON.stringify(Object.entries(files))})
      carried.items.add(new File([text], name, { type: 'text/plain' }))
    return carried
  })()`)
  await page.getByText('Or drop files here').dispatchEvent('drop', { dataTransfer })
}
