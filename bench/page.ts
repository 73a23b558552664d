// npm run page [-- --pictures <folder>]
//
// The page with a fake client behind it: ten thousand entries, five hundred peers, and nothing that lasts. Prints a link,
// and serves until it is interrupted. With --pictures it takes pictures of every view instead, light and dark, wide and
// narrow, in Chromium.

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { hasBrowser, looks, openPage, startBrowser } from '../test/web/page/browser.ts'
import { builtPage, removePage, serve } from '../test/web/page/fake-server.ts'
import { fakeWorld } from '../test/web/page/fake-world.ts'

/** Each view, by its name as a picture: its address, and a text that is there when all of it is. */
const views: Readonly<Record<string, readonly [address: string, text: string]>> = {
  groups: ['groups', 'chess club'],
  group: ['groups/family', '10000 entries'],
  entry: ['groups/family/film.mkv', 'guest1@192.0.2.1:4001'],
  fetching: ['groups/family/report.pdf', 'and nobody who has it is online'],
  folder: ['groups/family/holiday', 'day 1/boat.jpg'],
  transfers: ['transfers', 'guest5@192.0.2.5'],
  subscriptions: ['subscriptions', '312 names fetched'],
  limits: ['limits', '8:00 to 18:00'],
  events: ['events', 'ben asks to join family'],
  account: ['account', 'You are logged in as'],
}

const { values } = parseArgs({ options: { pictures: { type: 'string' } } })
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
  for (const look of looks) {
    const world = fakeWorld('ann')
    const server = await serve(page, world)
    const { page: tab } = await openPage(browser, server.link, look)
    await tab.getByRole('link', { name: 'family' }).waitFor()
    world.emit({ kind: 'join-requested', group: 'family', user: 'ben' })
    for (const [name, [address, text]] of Object.entries(views)) {
      await tab.goto(`${server.address}#/${address}`)
      await tab.getByText(text).first().waitFor()
      await tab.screenshot({ path: join(folder, `${name}-${look.width}-${look.colours}.png`) })
    }
    await server.close()
  }
  await browser.close()
  console.log(`pictures of ${Object.keys(views).length} views are in ${folder}`)
}
