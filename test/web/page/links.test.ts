// Links for guests on the page: made where an entry is shared, shown once, listed and taken back.

import { describe, expect, test } from 'vitest'
import { accept } from '../../../src/common/refusal.ts'
import { hasBrowser, withBrowser } from './browser.ts'
import { expectGone, expectShown, findings, go, pagesForTests } from './pages.ts'

describe.skipIf(!hasBrowser)(`links for guests on the page${withBrowser}`, () => {
  const pages = pagesForTests()

  test('a link that is made is shown once, with its fingerprint, and copied by a button', async () => {
    const look = { width: 360, colours: 'dark' } as const
    const { page, world, context } = await pages.open({ user: 'ann', view: 'groups/family/notes.txt', look })
    await context.grantPermissions(['clipboard-read', 'clipboard-write'])
    await page.getByLabel('How long it is good').fill('for ever')
    await page.getByRole('button', { name: 'Make a link' }).press('Enter')
    await expectShown(page.getByRole('alert').getByText('is not a duration like 90s, 5m or 2h'))
    await page.getByLabel('How long it is good').fill('7d')
    await page.getByLabel('How often it may be used').fill('3')
    await page.getByLabel('How often it may be used').press('Enter')
    const made = page.getByRole('group', { name: 'The new link' })
    await expectShown(made.getByText(/^Link 3 to notes.txt is good until 2026-05-19 .*, 3 times:$/))
    await expectShown(made.getByText(/^10:17:1E:/))
    expect(world.calls).toContain('shareLink("family", "notes.txt", {"forMs":604800000,"times":3})')
    expect(await findings(page)).toEqual([])
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360)
    await made.getByRole('button', { name: 'Copy the link' }).press('Enter')
    await expectShown(page.getByText('the link is copied'))
    const url = await made.getByText(/^https:/).textContent()
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(url)
    await go(page, 'links')
    await expectShown(page.getByRole('button', { name: 'Take back link 3 to notes.txt' }))
    expect(await page.content()).not.toContain(url)
  })

  test('links are listed with their uses, told as they are used, and taken back after a question', async () => {
    const { page, world } = await pages.open({ user: 'ann', view: 'links' })
    const row = page.getByRole('row').filter({ hasText: '2 of 3 uses' })
    await expectShown(row.getByText('1 transfer'))
    await expectShown(page.getByText('no: it was used as often as it may be'))
    const facts = { link: 1, group: 'family', name: 'notes.txt' }
    world.emit({ kind: 'link-used', ...facts, guest: '198.51.100.7', uses: 2, times: 3 })
    await expectShown(
      page.getByText('a guest at 198.51.100.7 fetches notes.txt of family by link 1 (use 2 of 3)'),
    )
    world.emit({ kind: 'link-ended', ...facts })
    await expectShown(page.getByText('link 1 to notes.txt of family has ended'))
    await page.getByRole('button', { name: 'Take back link 1 to notes.txt' }).press('Enter')
    const question = page.getByRole('dialog', { name: 'Take back link 1 to notes.txt?' })
    await question.getByRole('button', { name: 'Take it back' }).press('Enter')
    await expectShown(row.getByText('no: this link was taken back'))
    await expectGone(page.getByRole('button', { name: 'Take back link 1 to notes.txt' }))
    expect(world.calls).toContain('revokeLink(1)')
  })

  test('what a guest fetches is among the transfers, by the number of the link', async () => {
    const { page } = await pages.open({ user: 'ann', view: 'transfers' })
    const table = page.getByRole('table', { name: 'Who fetches from you' })
    const row = table.getByRole('row').filter({ hasText: 'guest by link 1 at 198.51.100.7' })
    await expectShown(row.getByText('notes.txt'))
    await expectShown(row.getByText('25 %'))
  })

  test('where the client serves no guests the page says how it does', async () => {
    const { page, world } = await pages.open({ user: 'ann', view: 'groups' })
    world.answers.showGuestPlace = async () => undefined
    world.answers.listLinks = async () => accept([])
    await go(page, 'groups/family/notes.txt')
    await page.getByText('This client serves no guests.').getByRole('link', { name: 'Links' }).click()
    await expectShown(page.getByText('This client serves no guests. Start it with --guests'))
    await expectShown(page.getByText('There are no links.'))
    expect(await findings(page)).toEqual([])
  })
})
