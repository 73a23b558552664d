// What tabs of the page are told: by events, after a reload, by several at once, and when the client is gone or does not
// know them.

import type { Page } from 'playwright-core'
import { describe, expect, test, vi } from 'vitest'
import { hasBrowser, openPage, withBrowser } from './browser.ts'
import { serve } from './fake-server.ts'
import { expectGone, expectShown, go, pagesForTests } from './pages.ts'

describe.skipIf(!hasBrowser)(`tabs of the page${withBrowser}`, () => {
  const pages = pagesForTests()

  test('a browser that was not let in says what allows it', async () => {
    const { server } = await pages.open({ user: 'ann' })
    const other = await openPage(pages.browser, server.address)
    await expectShown(other.page.getByRole('status').getByText('this browser was not let in'))
    await other.context.close()
  })

  test('what happens is told as it comes, and its group is looked at again', async () => {
    const { page, world } = await pages.open({ user: 'ann', view: 'groups/family' })
    await expectShown(page.getByRole('button', { name: 'Accept ben' }))
    world.requests.push('gus')
    world.emit({ kind: 'join-requested', group: 'family', user: 'gus' })
    await expectShown(page.getByRole('status').getByText('gus asks to join family'))
    await expectShown(page.getByRole('button', { name: 'Accept gus' }))
    await go(page, 'events')
    await expectShown(page.getByRole('log').getByText('gus asks to join family'))
  })

  test('a reload shows the same view again, without a token', async () => {
    const { page } = await pages.open({ user: 'ann', view: 'groups/family/film.mkv' })
    await expectShown(page.getByText('guest1@192.0.2.1:4001'))
    await page.reload()
    await expectShown(page.getByText('guest1@192.0.2.1:4001'))
    expect(page.url()).toContain('#/groups/family/film.mkv')
  })

  test('ten tabs are told alike and can ask, and go on when the one that listens for all is closed', async () => {
    const { page, context, server, world } = await pages.open({ user: 'ann' })
    await expectShown(page.getByRole('link', { name: 'family' }))
    const others = await Promise.all(
      Array.from({ length: 9 }, async () => {
        const tab = await context.newPage()
        await tab.goto(`${server.address}#/groups`)
        await expectShown(tab.getByRole('link', { name: 'family' }))
        return tab
      }),
    )
    const told = (text: string, tabs: readonly Page[]): Promise<unknown> =>
      Promise.all(tabs.map((tab) => expectShown(tab.getByRole('status').getByText(text))))
    expect(server.streams).toEqual({ now: 1, inAll: 1 })
    world.emit({ kind: 'became-owner', group: 'choir' })
    await told('you are now the owner of choir', [page, ...others])
    await page.close()
    await vi.waitFor(() => expect(server.streams).toEqual({ now: 1, inAll: 2 }))
    world.emit({ kind: 'became-owner', group: 'club' })
    await told('you are now the owner of club', others)
    await others[8]?.getByRole('button', { name: 'Ask to join chess club' }).click()
    await told('the owner of chess club is asked', others.slice(8))
  })

  test('a logout in another terminal shows the login, with nothing of the user left', async () => {
    const { page, world } = await pages.open({ user: 'ann', view: 'groups/family' })
    await expectShown(page.getByRole('link', { name: 'film.mkv' }))
    await world.operations.logout()
    await expectShown(page.getByRole('heading', { name: 'Log in' }))
    expect(await page.getByText('film.mkv').count()).toBe(0)
  })

  test('a client that is gone is said, and listened to again when it is back', async () => {
    const { page, world, server } = await pages.open({ user: 'ann', view: 'transfers' })
    await expectShown(page.getByRole('link', { name: 'film.mkv' }).first())
    await server.close()
    await expectShown(page.getByText('the client does not answer; this page tries again'))
    // Found out by asking, too.
    await page.getByRole('button', { name: 'Pause film.mkv' }).click()
    await expectShown(page.getByRole('alert').getByText('the client on this computer does not answer'))
    const again = await serve(pages.folder, world, Number(new URL(server.address).port))
    await expectGone(page.getByText('the client does not answer; this page tries again'))
    world.emit({ kind: 'became-owner', group: 'choir' })
    await expectShown(page.getByText('you are now the owner of choir'))
    await again.close()
  })
})
