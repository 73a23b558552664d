// The page in a real browser, under the policy that the client sends with it: what it shows, what its buttons ask for,
// keyboards, readers of the screen (axe-core), and what names of others must not do.

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { AxeResults } from 'axe-core'
import type { Browser, Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { accept, refuse } from '../../../src/common/refusal.ts'
import { entry } from '../../client/prompt/fake-operations.ts'
import { hasBrowser, looks, openPage, startBrowser, withBrowser, type Look } from './browser.ts'
import { builtPage, removePage, serve } from './fake-server.ts'
import { fakeWorld, hostileName } from './fake-world.ts'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

const views: Readonly<Record<string, string>> = {
  groups: 'Groups',
  'groups/family': 'family',
  'groups/family/film.mkv': 'film.mkv',
  'groups/family/report.pdf': 'report.pdf',
  'groups/family/holiday': 'holiday',
  transfers: 'Transfers',
  subscriptions: 'Subscriptions',
  limits: 'Limits',
  events: 'Events',
  account: 'Account',
}

const expectShown = (what: Locator): Promise<void> => what.waitFor()
const expectGone = (what: Locator): Promise<void> => what.waitFor({ state: 'detached' })

describe.skipIf(!hasBrowser)(`the page${withBrowser}`, () => {
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

  async function opened({ user, look, view }: { user?: string; look?: Look; view?: string } = {}) {
    const world = fakeWorld(user)
    const server = await serve(folder, world)
    const { page, context, problems } = await openPage(browser, server.link, look)
    onTestFinished(async () => {
      await context.close()
      await server.close()
    })
    if (view !== undefined) await go(page, view)
    return { world, server, page, context, problems }
  }

  /** Shows a view, and waits until its heading is there. */
  async function go(page: Page, view: string): Promise<void> {
    await page.evaluate((hash) => (location.hash = hash), `#/${view}`)
    await expectShown(page.getByRole('heading', { level: 1, name: views[view] ?? '', exact: true }))
  }

  async function findings(page: Page): Promise<string[]> {
    await page.evaluate(axe)
    const results = (await page.evaluate('axe.run()')) as AxeResults
    return results.violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`))
  }

  for (const look of looks)
    test(`no view has a finding of axe-core, nor is one wider than the screen: ${look.width} px, ${look.colours}`, async () => {
      const { page, problems, world } = await opened({ user: 'ann', look })
      await expectShown(page.getByRole('link', { name: 'family' }))
      world.emit({ kind: 'join-requested', group: 'family', user: 'ben' })
      const found: string[] = []
      for (const view of Object.keys(views)) {
        await go(page, view)
        if (view === 'groups/family') await expectShown(page.getByText('10000 entries'))
        if (view.endsWith('film.mkv')) await expectShown(page.getByText('guest1@192.0.2.1:4001'))
        found.push(...(await findings(page)).map((finding) => `${view}: ${finding}`))
        const width = await page.evaluate(() => document.documentElement.scrollWidth)
        if (width > look.width) found.push(`${view}: ${width} px wide`)
      }
      expect(found).toEqual([])
      expect(problems).toEqual([])
    })

  test('logging in has no finding either, says why it was refused, and then shows the groups', async () => {
    const { page } = await opened({ look: { width: 360, colours: 'dark' } })
    const form = page.locator('form').first()
    await form.getByLabel('User').fill('ann')
    await form.getByLabel('Password').fill('wrong')
    await form.getByRole('button', { name: 'Log in' }).click()
    await expectShown(page.getByRole('alert').getByText('the name or the password is wrong'))
    expect(await findings(page)).toEqual([])
    await form.getByLabel('Password').fill('correct-horse')
    await form.getByLabel('Password').press('Enter')
    await expectShown(page.getByRole('heading', { name: 'Groups' }))
    await expectShown(page.getByRole('link', { name: 'family' }))
  })

  test('a browser that was not let in says what allows it', async () => {
    const { server } = await opened({ user: 'ann' })
    const other = await openPage(browser, server.address)
    await expectShown(other.page.getByRole('status').getByText('this browser was not let in'))
    await other.context.close()
  })

  test('an accepted request makes a member, without a reload', async () => {
    const { page, world } = await opened({ user: 'ann', view: 'groups/family' })
    await page.getByRole('button', { name: 'Accept ben' }).click()
    await expectShown(page.getByText('ben is now a member'))
    await expectGone(page.getByRole('button', { name: 'Accept ben' }))
    expect(world.calls).toContain('acceptRequest("family", "ben")')
    expect(world.members).toContain('ben')
  })

  test('requests are shown also where the groups are listed last', async () => {
    const { page, world } = await opened({ user: 'ann', view: 'groups/family' })
    const { listFiles, listGroups } = world.answers
    let onListed = (): void => {}
    const listed = new Promise<void>((resolve) => (onListed = resolve))
    world.answers.listFiles = async (...given) => {
      setImmediate(onListed)
      return listFiles!(...given)
    }
    world.answers.listGroups = async () => {
      await listed
      return listGroups!()
    }
    await page.reload()
    await expectShown(page.getByRole('button', { name: 'Accept ben' }))
  })

  test('what is refused is said, and stays until it is closed', async () => {
    const { page, world } = await opened({ user: 'ann', view: 'groups/family' })
    world.answers.acceptRequest = async () => refuse('unavailable', 'no tracker answers')
    await page.getByRole('button', { name: 'Accept ben' }).click()
    const alert = page.getByRole('alert')
    await expectShown(alert.getByText('no tracker answers'))
    await alert.getByRole('button', { name: 'Close this message' }).press('Enter')
    await expectGone(alert.getByText('no tracker answers'))
  })

  test('a button that was pressed twice asks once', async () => {
    const { page, world } = await opened({ user: 'ann', view: 'groups' })
    let answer = (): void => {}
    const held = new Promise<void>((resolve) => (answer = resolve))
    world.answers.joinGroup = async () => {
      await held
      return accept(undefined)
    }
    const join = page.getByRole('button', { name: 'Ask to join chess club' })
    await join.dblclick()
    answer()
    await expectShown(page.getByText('the owner of chess club is asked'))
    expect(world.calls.filter((call) => call.startsWith('joinGroup'))).toEqual(['joinGroup("chess club")'])
  })

  test('the last of ten thousand entries can be scrolled to, and only what is in sight is drawn', async () => {
    const { page } = await opened({ user: 'ann', view: 'groups/family' })
    const table = page.getByRole('table', { name: 'Files and folders' })
    await expectShown(table.getByRole('link', { name: 'film.mkv' }))
    expect(await table.getAttribute('aria-rowcount')).toBe('10001')
    const box = page.getByRole('region', { name: 'Files and folders' })
    await box.focus()
    await page.keyboard.press('End')
    await expectShown(table.getByRole('link', { name: 'picture-9994.jpg' }))
    expect(await table.getByRole('row').count()).toBeLessThan(45)
    await page.getByLabel('Names with these letters').fill('FILM')
    await expectShown(page.getByText('1 entry'))
    await expectShown(table.getByRole('link', { name: 'film.mkv' }))
  })

  test('the name of a stranger is text: no element comes of it, and what turns the line around is shown', async () => {
    const { page, problems } = await opened({ user: 'ann', view: 'groups/family' })
    const link = page.getByRole('link', { name: '<img src=x onerror=alert(1)>\\u{202e}gpj.exe' })
    await link.click()
    await expectShown(page.getByRole('heading', { level: 1, name: '<img src=x' }))
    expect(decodeURIComponent(page.url())).toContain(hostileName)
    expect(await page.locator('img').count()).toBe(0)
    expect(problems).toEqual([])
  })

  test('an entry shows its pieces in words, each peer with both rates and the way, and when the last one has it', async () => {
    const { page } = await opened({ user: 'ann', view: 'groups/family/film.mkv' })
    await expectShown(page.getByRole('img', { name: /Piece map: \d+ pieces here, \d+ coming/ }))
    const row = page.getByRole('row').filter({ hasText: 'guest5@192.0.2.5:4005' })
    await row.waitFor()
    const cells = await row.getByRole('cell').allTextContents()
    expect(cells.map((cell) => cell.trim())).toEqual([
      'guest5@192.0.2.5:4005',
      '86 %',
      '146 KiB/s',
      '39 KiB/s',
      'relayed',
    ])
    await expectShown(page.getByText('The last of them will have it in about 25 min.'))
  })

  test('a large map and a small one have cells of one size, and what is whole needs none', async () => {
    const { page, world } = await opened({ user: 'ann', view: 'groups/family/film.mkv' })
    const map = page.getByRole('img', { name: /^Piece map/ })
    const widthOf = async (): Promise<number> => (await map.boundingBox())?.width ?? 0
    await expectShown(map)
    const width = await widthOf()
    world.answers.inspect = async (group, name) =>
      accept(
        entry({
          group,
          name,
          state: 'running',
          piecesDone: 1,
          map: [
            [1, 0, 0, 0],
            [0, 0, 39, 0],
          ],
        }),
      )
    await expectShown(page.getByRole('img', { name: 'Piece map: 1 piece here, 0 coming' }))
    expect(await widthOf()).toBe(width)
    expect((await map.boundingBox())?.height).toBeLessThan(40)
    world.answers.inspect = async (group, name) => accept(entry({ group, name }))
    await expectGone(map)
  })

  test('a download is paused, gets another priority, and is cancelled after a question', async () => {
    const { page, world } = await opened({ user: 'ann', view: 'transfers' })
    await page.getByRole('button', { name: 'Pause film.mkv' }).click()
    await expectShown(page.getByText('paused film.mkv'))
    await page.getByLabel('Priority of film.mkv').selectOption('high')
    await expectShown(page.getByText('film.mkv has high priority'))
    await page.getByRole('button', { name: 'Cancel film.mkv' }).press('Enter')
    const question = page.getByRole('dialog', { name: 'Cancel the download of film.mkv?' })
    await question.waitFor()
    expect(await findings(page)).toEqual([])
    await page.keyboard.press('Escape')
    await expectGone(question)
    expect(world.calls.join('\n')).not.toContain('cancelDownload')
    // The focus is back where it was.
    await page.keyboard.press('Enter')
    await question.getByRole('button', { name: 'Cancel the download' }).click()
    await expectShown(page.getByText('cancelled film.mkv'))
    expect(world.calls).toEqual(
      expect.arrayContaining([
        'pauseDownload("family", "film.mkv")',
        'prioritize("family", "film.mkv", "high")',
        'cancelDownload("family", "film.mkv")',
      ]),
    )
  })

  test('why something waits is asked by a button, and answered with what to do', async () => {
    const { page } = await opened({ user: 'ann', view: 'transfers' })
    await page.getByRole('button', { name: 'Why? report.pdf' }).click()
    const window = page.getByRole('dialog', { name: 'What report.pdf waits for' })
    await expectShown(window.getByText('nobody who is online has the missing pieces'))
    await expectShown(window.getByText('it goes on by itself'))
    expect(await findings(page)).toEqual([])
    await page.keyboard.press('Escape')
    await expectGone(window)
  })

  test('an entry that is not here is downloaded to where the form says', async () => {
    const { page, world } = await opened({ user: 'ann', view: 'groups/family/report.pdf' })
    await page.getByLabel('Folder or path on this computer').fill('/home/ann/Downloads')
    await page.getByRole('button', { name: 'Download', exact: true }).click()
    await expectShown(page.getByText('downloading report.pdf to /home/ann/Downloads'))
    expect(world.calls).toContain(
      'downloadFile("family", "report.pdf", "/home/ann/Downloads", {"overwrite":false})',
    )
  })

  test('a path is shared, and a chosen file is copied and shared', async () => {
    const { page, world, server } = await opened({ user: 'ann', view: 'groups/family' })
    await page.getByLabel('Path of a file or folder').fill('/home/ann/film.mkv')
    await page.getByRole('button', { name: 'Share it' }).click()
    await expectShown(page.getByText('/home/ann/film.mkv is shared in family'))
    expect(world.calls).toContain('uploadFile("/home/ann/film.mkv", "family")')
    await page.getByLabel('for copies of dropped files').fill('/home/ann/copies')
    const file = { name: 'list.txt', mimeType: 'text/plain', buffer: Buffer.from('milk') }
    await page.locator('input[type=file]').setInputFiles([file])
    await expectShown(page.getByText('list.txt is shared in family'))
    expect(server.dropped).toEqual([
      { name: 'list.txt', group: 'family', folder: '/home/ann/copies', bytes: 4 },
    ])
  })

  test('a text is looked at as text', async () => {
    const { page, problems } = await opened({ user: 'ann', view: 'groups' })
    await page.evaluate(() => (location.hash = '#/groups/family/notes.txt'))
    await page.getByRole('button', { name: 'Look at it' }).click()
    await expectShown(page.getByText('All is <b>well</b>.'))
    expect(problems).toEqual([])
  })

  test('a limit by the hour is set from the form, and a wrong one is refused before it is asked for', async () => {
    const { page, world } = await opened({ user: 'ann', view: 'limits' })
    await expectShown(page.getByText('8:00 to 18:00'))
    await page.getByLabel('Rate in bytes a second').fill('fast')
    await page.getByRole('button', { name: 'Set the limit' }).click()
    await expectShown(page.getByRole('alert').getByText('"fast" is not a rate'))
    await page.getByLabel('Rate in bytes a second').fill('1M')
    await page.getByLabel('From').fill('22:00')
    await page.getByLabel('To', { exact: true }).fill('06:00')
    await page.getByRole('button', { name: 'Set the limit' }).click()
    await expectShown(page.getByText('upload: 1M bytes a second, 22:00 to 6:00'))
    expect(world.calls).toContain(
      'setLimit({"direction":"upload","bytesPerSecond":1048576,"hours":{"fromMinute":1320,"toMinute":360}})',
    )
  })

  test('what happens is told as it comes, and its group is looked at again', async () => {
    const { page, world } = await opened({ user: 'ann', view: 'groups/family' })
    await expectShown(page.getByRole('button', { name: 'Accept ben' }))
    world.requests.push('gus')
    world.emit({ kind: 'join-requested', group: 'family', user: 'gus' })
    await expectShown(page.getByRole('status').getByText('gus asks to join family'))
    await expectShown(page.getByRole('button', { name: 'Accept gus' }))
    await go(page, 'events')
    await expectShown(page.getByRole('log').getByText('gus asks to join family'))
  })

  test('a reload shows the same view again, without a token', async () => {
    const { page } = await opened({ user: 'ann', view: 'groups/family/film.mkv' })
    await expectShown(page.getByText('guest1@192.0.2.1:4001'))
    await page.reload()
    await expectShown(page.getByText('guest1@192.0.2.1:4001'))
    expect(page.url()).toContain('#/groups/family/film.mkv')
  })

  test('a logout in another terminal shows the login, with nothing of the user left', async () => {
    const { page, world } = await opened({ user: 'ann', view: 'groups/family' })
    await expectShown(page.getByRole('link', { name: 'film.mkv' }))
    await world.operations.logout()
    await expectShown(page.getByRole('heading', { name: 'Log in' }))
    expect(await page.getByText('film.mkv').count()).toBe(0)
  })

  test('a client that is gone is said, and listened to again when it is back', async () => {
    const { page, world, server } = await opened({ user: 'ann', view: 'transfers' })
    await expectShown(page.getByRole('link', { name: 'film.mkv' }).first())
    await server.close()
    await expectShown(page.getByText('the client does not answer; this page tries again'))
    // Found out by asking, too.
    await page.getByRole('button', { name: 'Pause film.mkv' }).click()
    await expectShown(page.getByRole('alert').getByText('the client on this computer does not answer'))
    const again = await serve(folder, world, Number(new URL(server.address).port))
    await expectGone(page.getByText('the client does not answer; this page tries again'))
    world.emit({ kind: 'became-owner', group: 'choir' })
    await expectShown(page.getByText('you are now the owner of choir'))
    await again.close()
  })

  test('the Tab key goes through the menu, the groups and their buttons, and shows where it is', async () => {
    const { page } = await opened({ user: 'ann', view: 'groups' })
    await expectShown(page.getByRole('link', { name: 'family' }))
    await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur())
    const reached: string[] = []
    for (let at = 0; at < 14; at++) {
      await page.keyboard.press('Tab')
      const focused = await page.evaluate(() => {
        const element = document.activeElement ?? document.body
        const isSeen = element === document.body || getComputedStyle(element).outlineStyle !== 'none'
        // Between the end of the page and its beginning nothing has the focus.
        return element === document.body
          ? ''
          : `${isSeen ? '' : 'unseen: '}${element.textContent?.trim() ?? ''}`
      })
      reached.push(focused)
    }
    expect(reached.filter((text) => text.startsWith('unseen'))).toEqual([])
    expect(reached.join('\n')).toContain('Transfers')
    expect(reached.join('\n')).toContain('family')
    expect(reached.join('\n')).toContain('Ask to join')
  })
})
