// npm run page [-- --pictures <folder> [--only links,new-link]]
//
// The page with a fake client behind it: ten thousand entries, five hundred peers, and nothing that lasts. Prints a link,
// and serves until it is interrupted. With --pictures it takes pictures of every view instead, light and dark, wide and
// narrow, in Chromium; with --whole of all of each page, not of what a screen shows,
// and with --only of some views, by the names of their pictures.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { hasBrowser, looks, openPage, startBrowser } from '../test/web/page/browser.ts'
import { builtPage, removePage, serve } from '../test/web/page/fake-server.ts'
import { fakeWorld, type FakeWorld } from '../test/web/page/fake-world.ts'

/** Each view, by its name as a picture: its address, and a text that is there when all of it is. */
const views: Readonly<Record<string, readonly [address: string, text: string]>> = {
  groups: ['groups', 'chess club'],
  group: ['groups/family', '10000 entries'],
  entry: ['groups/family/film.mkv', 'guest1@192.0.2.1:4001'],
  fetching: ['groups/family/report.pdf', 'and nobody who has it is online'],
  folder: ['groups/family/holiday', 'day 1/boat.jpg'],
  transfers: ['transfers', 'guest5@192.0.2.5'],
  subscriptions: ['subscriptions', '312 names fetched'],
  links: ['links', '2 of 3 uses'],
  limits: ['limits', '8:00 to 18:00'],
  checks: ['checks', 'worth knowing'],
  account: ['account', 'You are logged in as'],
  events: ['events', 'ben asks to join family'],
}

/** The clock of the page goes a hundred times as fast, so that ten minutes are there to be plotted. */
const fastClock = `{
  const [now, later, began] = [Date.now.bind(Date), window.setTimeout, Date.now()]
  Date.now = () => ${Date.UTC(2026, 4, 12, 9, 30)} + 100 * (now() - began)
  window.setTimeout = (act, ms, ...rest) => later(act, ms === 1000 ? 10 : ms, ...rest)
}`
const plotWithinMs = 3000

/** Runs in a page: makes WebP of a picture, both in Base64. */
const toWebp = `async (png) => {
  const picture = await createImageBitmap(await (await fetch('data:image/png;base64,' + png)).blob())
  const canvas = new OffscreenCanvas(picture.width, picture.height)
  canvas.getContext('2d').drawImage(picture, 0, 0)
  const blob = await canvas.convertToBlob({ type: 'image/webp', quality: 0.35 })
  const bytes = new Uint8Array(await blob.arrayBuffer())
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))
}`

const { values } = parseArgs({
  options: {
    pictures: { type: 'string' },
    only: { type: 'string' },
    whole: { type: 'boolean', default: false },
  },
})
/** Names of pictures; undefined for all. */
const only = values.only?.split(',')
const isWanted = (name: string): boolean => only?.includes(name) ?? true
const page = await builtPage()
try {
  if (values.pictures === undefined) await serveUntilInterrupted()
  else await takePictures(values.pictures)
} finally {
  removePage(page)
}

async function serveUntilInterrupted(): Promise<void> {
  const server = await serve(page, fakeWorld('ann'))
  console.log(server.link)
  await new Promise((resolve) => void process.once('SIGINT', resolve))
  await server.close()
}

async function takePictures(folder: string): Promise<void> {
  if (!hasBrowser) throw new Error('chromium is not installed')
  mkdirSync(folder, { recursive: true })
  const browser = await startBrowser()
  const taken = new Set<string>()
  const painter = await browser.newPage()
  for (const look of looks) {
    const world = pictureWorld()
    const server = await serve(page, world)
    const { page: tab, context } = await openPage(browser, server.link, look, fastClock)
    const take = async (name: string): Promise<void> => {
      if (!isWanted(name)) return
      taken.add(name)
      const png = await tab.screenshot({ fullPage: values.whole })
      const webp = await painter.evaluate(`(${toWebp})("${png.toString('base64')}")`)
      const path = join(folder, `${name}-${look.width}-${look.colours}.webp`)
      writeFileSync(path, Buffer.from(String(webp), 'base64'))
    }
    await tab.getByRole('heading', { name: 'Log in' }).waitFor()
    await take('login')
    await world.operations.login('ann', 'correct-horse')
    await tab.getByRole('link', { name: 'family' }).waitFor()
    await tab.locator('.said:empty').waitFor({ state: 'attached' })
    for (const [name, [address, text]] of Object.entries(views).filter(([name]) => isWanted(name))) {
      await tab.goto(`${server.address}#/${address}`)
      if (name === 'events') world.emit({ kind: 'join-requested', group: 'family', user: 'ben' })
      await tab.getByText(text).first().waitFor()
      if (name === 'transfers') await tab.waitForTimeout(plotWithinMs)
      await take(name)
    }
    await tab.locator('.said:empty').waitFor({ state: 'attached' })
    await tab.goto(`${server.address}#/transfers`)
    await tab.getByRole('button', { name: 'Why? report.pdf' }).click()
    await tab.getByText('it goes on by itself').waitFor()
    await take('why')
    await tab.goto(`${server.address}#/groups/family/notes.txt`)
    await tab.getByRole('button', { name: 'Make a link' }).click()
    await tab.getByRole('group', { name: 'The new link' }).scrollIntoViewIfNeeded()
    await tab.locator('.said:empty').waitFor({ state: 'attached' })
    await take('new-link')
    await context.close()
    await server.close()
  }
  await browser.close()
  console.log(`pictures of ${taken.size} views are in ${folder}`)
}

/** With rates that go up and down. */
function pictureWorld(): FakeWorld {
  const world = fakeWorld()
  const { operations } = world
  const showDownloads = operations.showDownloads.bind(operations)
  let round = 0
  world.answers.showDownloads = async () => {
    round++
    const share = 0.6 + 0.25 * Math.sin(round / 25) + 0.15 * Math.sin(round / 7)
    const downloads = await showDownloads()
    return downloads.map((one) => ({ ...one, bytesPerSecond: one.bytesPerSecond * share }))
  }
  return world
}
