// Debian's Chromium for tests of the page, where there is one.

import { existsSync } from 'node:fs'
import {
  chromium,
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  type Page,
} from 'playwright-core'

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

const usual: BrowserContextOptions = { viewport: { width: 1600, height: 1000 }, reducedMotion: 'reduce' }

interface Opened {
  readonly page: Page
  /** What a page must not do: errors, and what its policy forbids. */
  readonly problems: string[]
}

/** In a context of its own. `script` runs before those of the page. */
export async function openPage(
  browser: Browser,
  link: string,
  look?: Look,
  script?: string,
): Promise<Opened & { readonly context: BrowserContext }> {
  const context = await browser.newContext(usual)
  return { ...(await openTab(context, link, look, script)), context }
}

/**
 * The first context of this browser, made when it is missing. To make one takes Chromium a window with all that is around
 * the page, which is most of the work of a short test: so tests that open tabs in turn share it, and `empty` it after each.
 */
export async function sharedContext(browser: Browser): Promise<BrowserContext> {
  const [context] = browser.contexts()
  if (context !== undefined) return context
  const made = await browser.newContext(usual)
  // Chromium closes a window with its last tab.
  await made.newPage()
  return made
}

/** As if it were new: without tabs, cookies and permissions. What pages store goes with their port, which is another each time. */
export async function empty(context: BrowserContext): Promise<void> {
  await Promise.all(
    context
      .pages()
      .slice(1)
      .map((page) => page.close()),
  )
  await context.clearCookies()
  await context.clearPermissions()
}

export async function openTab(
  context: BrowserContext,
  link: string,
  look?: Look,
  script?: string,
): Promise<Opened> {
  const page = await context.newPage()
  if (look !== undefined) {
    await page.setViewportSize({ width: look.width, height: look.width < 600 ? 800 : 1000 })
    await page.emulateMedia({ colorScheme: look.colours })
  }
  if (script !== undefined) await page.addInitScript(script)
  const problems: string[] = []
  page.on('pageerror', (error) => problems.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text())
  })
  await page.goto(link)
  return { page, problems }
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
