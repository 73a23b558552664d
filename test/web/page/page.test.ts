// The page in a real browser, under the policy that the client sends with it: what it shows, on wide screens and narrow
// ones, to keyboards and readers of the screen (axe-core), and what names of others must not do.

import { describe, expect, test, vi } from 'vitest'
import { accept } from '../../../src/common/refusal.ts'
import { entry } from '../../client/prompt/fake-operations.ts'
import { hasBrowser, withBrowser } from './browser.ts'
import { hostileName } from './fake-world.ts'
import { expectGone, expectShown, findings, go, pagesForTests, pixelsOf, views } from './pages.ts'

describe.skipIf(!hasBrowser)(`the page${withBrowser}`, () => {
  const pages = pagesForTests()

  for (const width of [1600, 360])
    test(`no view has a finding of axe-core, light or dark, nor is one wider than the screen: ${width} px`, async () => {
      const { page, problems, world } = await pages.open({ user: 'ann', look: { width, colours: 'light' } })
      await expectShown(page.getByRole('link', { name: 'family' }))
      world.emit({ kind: 'join-requested', group: 'family', user: 'ben' })
      const found: string[] = []
      for (const view of Object.keys(views)) {
        await go(page, view)
        if (view === 'groups/family') await expectShown(page.getByText('10000 entries'))
        if (view.endsWith('film.mkv')) await expectShown(page.getByText('guest1@192.0.2.1:4001'))
        found.push(...(await findings(page)).map((finding) => `${view}: ${finding}`))
        // What is dark differs in its colours alone.
        await page.emulateMedia({ colorScheme: 'dark' })
        found.push(
          ...(await findings(page, ['color-contrast'])).map((finding) => `${view}, dark: ${finding}`),
        )
        await page.emulateMedia({ colorScheme: 'light' })
        const shownPx = await page.evaluate(() => document.documentElement.scrollWidth)
        if (shownPx > width) found.push(`${view}: ${shownPx} px wide`)
      }
      expect(found).toEqual([])
      expect(problems).toEqual([])
    })

  test('logging in has no finding either, says why it was refused, and then shows the groups', async () => {
    const { page } = await pages.open({ look: { width: 360, colours: 'dark' } })
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

  test('the last of ten thousand entries can be scrolled to, and only what is in sight is drawn', async () => {
    const { page } = await pages.open({ user: 'ann', view: 'groups/family' })
    const table = page.getByRole('table', { name: 'Files and folders' })
    await expectShown(table.getByRole('link', { name: 'film.mkv' }))
    await vi.waitFor(async () => expect(await table.getAttribute('aria-rowcount')).toBe('10001'))
    const box = page.getByRole('region', { name: 'Files and folders' })
    await box.focus()
    await page.keyboard.press('End')
    await expectShown(table.getByRole('link', { name: 'picture-9994.jpg' }))
    expect(await table.getByRole('row').count()).toBeLessThan(45)
    await page.getByLabel('Names with these letters').fill('FILM')
    await expectShown(page.getByText('1 entry'))
    await expectShown(table.getByRole('link', { name: 'film.mkv' }))
  })

  test('no name is too long for a narrow screen', async () => {
    const look = { width: 360, colours: 'light' } as const
    const { page, world } = await pages.open({ user: 'ann', look })
    const long = `${'long'.repeat(60)}.txt`
    world.answers.listGroups = async () =>
      accept([{ group: 'x'.repeat(60), owner: 'o'.repeat(30), members: 1, standing: 'member' }])
    world.answers.listFiles = async () => accept([{ name: long, sizeBytes: 1, seeders: 0 }])
    world.answers.showUploads = async () => []
    world.answers.inspect = async (group, name) => accept(entry({ group, name, state: 'running', why: long }))
    for (const view of ['groups', 'groups/family', `groups/family/${long}`, 'transfers']) {
      await page.goto(`${new URL(page.url()).origin}/#/${view}`)
      await page.reload()
      await expectShown(page.getByRole('heading', { level: 1 }))
      await expectShown(page.getByText(/xxxx|longlong|Downloads/).first())
      expect([view, await page.evaluate(() => document.documentElement.scrollWidth)]).toEqual([view, 360])
    }
  })

  test('the name of a stranger is text: no element comes of it, and what turns the line around is shown', async () => {
    const { page, problems } = await pages.open({ user: 'ann', view: 'groups/family' })
    const link = page.getByRole('link', { name: '<img src=x onerror=alert(1)>\\u{202e}gpj.exe' })
    await link.click()
    await expectShown(page.getByRole('heading', { level: 1, name: '<img src=x' }))
    expect(decodeURIComponent(page.url())).toContain(hostileName)
    expect(await page.locator('img').count()).toBe(0)
    expect(problems).toEqual([])
  })

  test('an entry shows its pieces in words, each peer with both rates and the way, and when the last one has it', async () => {
    const { page } = await pages.open({ user: 'ann', view: 'groups/family/film.mkv' })
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
    // Of the 500 peers those in sight alone are drawn, down to the last one.
    const table = page.getByRole('table', { name: 'Peers' })
    expect(await table.getAttribute('aria-rowcount')).toBe('501')
    expect(await table.getByRole('row').count()).toBeLessThan(45)
    await page.getByRole('region', { name: 'Peers' }).press('End')
    await expectShown(table.getByText('guest499@192.0.2.249:4499'))
    await expectGone(row)
    expect(await table.getByRole('row').count()).toBeLessThan(45)
  })

  test('the rates of the last ten minutes are drawn and told, and outlive a reload', async () => {
    const { page, world } = await pages.open({ user: 'ann', view: 'transfers' })
    await expectShown(page.getByText('in: 4.6 MiB/s now, 4.6 MiB/s at most'))
    // With the second rate there is a line.
    await vi.waitFor(async () => expect(await pixelsOf(page, '--in')).toBeGreaterThan(0), {
      timeout: 10_000,
    })
    expect(await pixelsOf(page, '--out')).toBeGreaterThan(0)
    world.downloads.length = 0
    await page.reload()
    await expectShown(page.getByText(/in: 0.* now, 4.6 MiB.s at most/))
  })

  test('a large map and a small one have cells of one size, and what is whole needs none', async () => {
    const { page, world } = await pages.open({ user: 'ann', view: 'groups/family/film.mkv' })
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

  test('the Tab key goes through the menu, the groups and their buttons, and shows where it is', async () => {
    const { page } = await pages.open({ user: 'ann', view: 'groups' })
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
