// A guest with a real browser at a real client: from the link that its user makes in their page to the file, and to the end
// of the link.

import { createHash, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect } from 'node:tls'
import type { Page } from 'playwright-core'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { hasBrowser, openPage, startBrowser, withBrowser } from '../web/page/browser.ts'
import type { Program } from './programs.ts'
import { contentOf, MiB, World } from './world.ts'

const patienceMs = 30_000
const name = 'holiday film.bin'

/** Not `world.client`, which must be silent on standard error: where guests are served is said there. */
async function sharer(world: World): Promise<Program> {
  const addresses = ['127.0.0.1', '0', '127.0.0.1', String(world.trackerPort)]
  const words = ['--data-dir', world.path('ann'), '--audit', world.path('audit'), '--guests', '127.0.0.1:0']
  const ann = world.run('ann', 'client', [...addresses, ...words])
  await world.account('ann')
  await ann.does('login ann secret', 'create_group family')
  await ann.does(`upload_file '${world.makeFile(name, 3 * MiB)}' family`)
  return ann
}

/** The certificate of the server there. */
async function certificateAt(url: string): Promise<X509Certificate> {
  const { hostname, port } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port), rejectUnauthorized: false })
  await once(socket, 'secureConnect')
  const { raw } = socket.getPeerCertificate()
  socket.destroy()
  return new X509Certificate(raw)
}

describe.skipIf(!hasBrowser)(`a guest with a browser${withBrowser}`, () => {
  test('fetches all of a file by a link that was made in the page, is counted, and gets nothing once that was taken back', async () => {
    const world = await World.make()
    onTestFinished(() => world.close())
    const ann = await sharer(world)
    const browser = await startBrowser()
    onTestFinished(() => browser.close())
    const { page } = await openPage(browser, /http:\S+/.exec(await ann.say('show_page'))?.[0] ?? '')
    await page.getByRole('link', { name: 'family' }).click()
    await page.getByRole('link', { name }).click()
    await page.getByLabel('How often it may be used').fill('2')
    await page.getByRole('button', { name: 'Make a link' }).click()
    const made = page.getByRole('group', { name: 'The new link' })
    const url = (await made.getByText(/^https:/).textContent()) ?? ''
    const fingerprint = await made.getByText(/^[0-9A-F:]{95}$/).textContent()

    const certificate = await certificateAt(url)
    expect(certificate.fingerprint256).toBe(fingerprint)
    const key = certificate.publicKey.export({ type: 'spki', format: 'der' })
    const guests = await startBrowser(createHash('sha256').update(key).digest('base64'))
    onTestFinished(() => guests.close())
    const guest = await guests.newPage()
    const content = contentOf(name, 3 * MiB)
    const sum = createHash('sha256').update(content).digest('hex')
    await expectAfterReloads(guest, url, sum)
    const coming = guest.waitForEvent('download')
    await guest.getByRole('link', { name: 'Save the file' }).click()
    const download = await coming
    expect(download.suggestedFilename()).toBe(name)
    expect(readFileSync(await download.path()).equals(content)).toBe(true)

    const use = `a guest at 127.0.0.1 fetches ${name} of family by link 1 (use 1 of 2)`
    await ann.until(use)
    await page.goto(`${new URL(page.url()).origin}/#/events`)
    await page.getByText(use).first().waitFor()
    await page.goto(`${new URL(page.url()).origin}/#/links`)
    await page.getByText('1 of 2 uses').waitFor()
    await page.getByRole('button', { name: `Take back link 1 to ${name}` }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Take it back' }).click()
    await page.getByText('no: this link was taken back').waitFor()
    const refused = await guest.goto(url)
    expect([refused?.status(), await refused?.text()]).toEqual([410, 'this link was taken back\n'])
    const written = (): string[] => readFileSync(world.path('audit'), 'utf8').trimEnd().split('\n')
    await vi.waitFor(() => expect(written()).toHaveLength(4), patienceMs)
    expect(written().map((line) => JSON.parse(line) as object)).toMatchObject([
      { what: 'link_made', link: 1, times: 2 },
      { what: 'link_used', link: 1, name, from: '127.0.0.1', use: 1 },
      { what: 'guest_sent', link: 1, from: '127.0.0.1', bytes: content.length },
      { what: 'link_ended', link: 1, why: 'revoked' },
    ])
    expect(written().join()).not.toContain(url.split('/').at(-1))
  }, 90_000)
})

/** The sum is worked out from when the link was made. */
async function expectAfterReloads(page: Page, url: string, text: string): Promise<void> {
  await vi.waitFor(async () => {
    await page.goto(url)
    expect(await page.content()).toContain(text)
  }, patienceMs)
}
