// The page with a fake client behind it, in a real browser, for the tests of a file: opened, led to a view, and judged by
// axe-core.

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { AxeResults } from 'axe-core'
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, onTestFinished } from 'vitest'
import { empty, openTab, sharedContext, startBrowser, type Look } from './browser.ts'
import { builtPage, removePage, serve, type FakeServer } from './fake-server.ts'
import { fakeWorld, type FakeWorld } from './fake-world.ts'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** The heading of each view, by its address. */
export const views: Readonly<Record<string, string>> = {
  groups: 'Groups',
  'groups/family': 'family',
  'groups/family/film.mkv': 'film.mkv',
  'groups/family/report.pdf': 'report.pdf',
  'groups/family/holiday': 'holiday',
  'groups/family/notes.txt': 'notes.txt',
  transfers: 'Transfers',
  subscriptions: 'Subscriptions',
  links: 'Links',
  limits: 'Limits',
  events: 'Events',
  checks: 'Checks',
  account: 'Account',
}

export const expectShown = (what: Locator): Promise<void> => what.waitFor()
export const expectGone = (what: Locator): Promise<void> => what.waitFor({ state: 'detached' })

interface Opening {
  /** Who is logged in. */
  readonly user?: string
  readonly look?: Look
  readonly view?: string
}

interface Opened {
  readonly world: FakeWorld
  readonly server: FakeServer
  readonly page: Page
  readonly context: BrowserContext
  /** What a page must not do, as the browser says it. */
  readonly problems: string[]
}

export interface Pages {
  readonly browser: Browser
  /** The built page. */
  readonly folder: string
  open(opening?: Opening): Promise<Opened>
}

/** Builds the page and starts a browser for the tests of a group, and ends it after them. */
export function pagesForTests(): Pages {
  let browser: Browser
  let folder: string
  beforeAll(async () => {
    folder = await builtPage()
    browser = await startBrowser()
  })
  afterAll(async () => {
    await browser?.close()
    if (folder !== undefined) removePage(folder)
  })
  return {
    get browser() {
      return browser
    },
    get folder() {
      return folder
    },
    async open({ user, look, view } = {}) {
      const world = fakeWorld(user)
      const server = await serve(folder, world)
      const context = await sharedContext(browser)
      onTestFinished(async () => {
        await empty(context)
        await server.close()
      })
      const { page, problems } = await openTab(context, server.link, look)
      if (view !== undefined) await go(page, view)
      return { world, server, page, context, problems }
    },
  }
}

/** Shows a view, and waits until its heading is there. */
export async function go(page: Page, view: string): Promise<void> {
  await page.evaluate((hash) => (location.hash = hash), `#/${view}`)
  await expectShown(page.getByRole('heading', { level: 1, name: views[view] ?? '', exact: true }))
}

/** `rules`: all of them, or these alone. */
export async function findings(page: Page, rules?: readonly string[]): Promise<string[]> {
  // Half a megabyte, which stays until the page is loaded again.
  if (!(await page.evaluate("'axe' in window"))) await page.evaluate(axe)
  const options = {
    resultTypes: ['violations'],
    ...(rules !== undefined && { runOnly: { type: 'rule', values: rules } }),
  }
  const results = (await page.evaluate(`axe.run(${JSON.stringify(options)})`)) as AxeResults
  return results.violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`))
}

/** How many pixels of the plot have the colour that the style sheet calls so. */
export async function pixelsOf(page: Page, name: `--${string}`): Promise<number> {
  return page.evaluate((property) => {
    const plot = document.querySelector<HTMLCanvasElement>('.plot canvas')
    const one = document.createElement('canvas').getContext('2d')
    const box = document.createElement('i')
    if (plot === null || one === null) return 0
    box.style.color = `var(${property})`
    document.body.append(box)
    one.fillStyle = getComputedStyle(box).color
    box.remove()
    one.fillRect(0, 0, 1, 1)
    const wanted = String(one.getImageData(0, 0, 1, 1).data)
    const pixels = plot.getContext('2d')?.getImageData(0, 0, plot.width, plot.height).data ?? []
    let count = 0
    for (let at = 0; at < pixels.length; at += 4) if (String(pixels.slice(at, at + 4)) === wanted) count++
    return count
  }, name)
}
