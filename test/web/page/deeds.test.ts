// What the buttons and forms of the page ask the client for, and how it says what came of it.

import { describe, expect, test, vi } from 'vitest'
import { accept, refuse } from '../../../src/common/refusal.ts'
import { dropFiles, hasBrowser, withBrowser } from './browser.ts'
import { expectGone, expectShown, findings, go, pagesForTests } from './pages.ts'

describe.skipIf(!hasBrowser)(`what the page does${withBrowser}`, () => {
  const pages = pagesForTests()

  test('an accepted request makes a member, without a reload', async () => {
    const { page, world } = await pages.open({ user: 'ann', view: 'groups/family' })
    await page.getByRole('button', { name: 'Accept ben' }).click()
    await expectShown(page.getByText('ben is now a member'))
    await expectGone(page.getByRole('button', { name: 'Accept ben' }))
    expect(world.calls).toContain('acceptRequest("family", "ben")')
    expect(world.members).toContain('ben')
  })

  test('requests are shown also where the groups are listed last', async () => {
    const { page, world } = await pages.open({ user: 'ann', view: 'groups/family' })
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
    const { page, world } = await pages.open({ user: 'ann', view: 'groups/family' })
    world.answers.acceptRequest = async () => refuse('unavailable', 'no tracker answers')
    await page.getByRole('button', { name: 'Accept ben' }).click()
    const alert = page.getByRole('alert')
    await expectShown(alert.getByText('no tracker answers'))
    await alert.getByRole('button', { name: 'Close this message' }).press('Enter')
    await expectGone(alert.getByText('no tracker answers'))
  })

  test('a button that was pressed twice asks once', async () => {
    const { page, world } = await pages.open({ user: 'ann', view: 'groups' })
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

  test('a download is paused, gets another priority, and is cancelled after a question', async () => {
    const { page, world } = await pages.open({ user: 'ann', view: 'transfers' })
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
    const { page } = await pages.open({ user: 'ann', view: 'transfers' })
    await page.getByRole('button', { name: 'Why? report.pdf' }).click()
    const window = page.getByRole('dialog', { name: 'What report.pdf waits for' })
    await expectShown(window.getByText('nobody who is online has the missing pieces'))
    await expectShown(window.getByText('it goes on by itself'))
    expect(await findings(page)).toEqual([])
    await page.keyboard.press('Escape')
    await expectGone(window)
  })

  test('an entry that is not here is downloaded to where the form says', async () => {
    const { page, world } = await pages.open({ user: 'ann', view: 'groups/family/report.pdf' })
    await page.getByLabel('Folder or path on this computer').fill('/home/ann/Downloads')
    await page.getByRole('button', { name: 'Download', exact: true }).click()
    await expectShown(page.getByText('downloading report.pdf to /home/ann/Downloads'))
    expect(world.calls).toContain(
      'downloadFile("family", "report.pdf", "/home/ann/Downloads", {"overwrite":false})',
    )
  })

  test('a path is shared, and a chosen file is copied and shared', async () => {
    const { page, world, server } = await pages.open({ user: 'ann', view: 'groups/family' })
    await page.getByLabel('Path of a file or folder').fill('/home/ann/film.mkv')
    await page.getByRole('button', { name: 'Share it' }).click()
    await expectShown(page.getByText('/home/ann/film.mkv is shared in family'))
    expect(world.calls).toContain('uploadFile("/home/ann/film.mkv", "family", {"skipSpecial":false})')
    await page.getByLabel('for copies of dropped files').fill('/home/ann/copies')
    const file = { name: 'list.txt', mimeType: 'text/plain', buffer: Buffer.from('milk') }
    await page.locator('input[type=file]').setInputFiles([file])
    await expectShown(page.getByText('list.txt is shared in family'))
    expect(server.dropped).toEqual([
      { name: 'list.txt', group: 'family', folder: '/home/ann/copies', bytes: 4 },
    ])
  })

  test('a text is looked at as text', async () => {
    const { page, problems } = await pages.open({ user: 'ann', view: 'groups' })
    await page.evaluate(() => (location.hash = '#/groups/family/notes.txt'))
    await page.getByRole('button', { name: 'Look at it' }).click()
    await expectShown(page.getByText('All is <b>well</b>.'))
    expect(problems).toEqual([])
  })

  test('what was looked at is not read on when another view is shown', async () => {
    const { page, server } = await pages.open({ user: 'ann', view: 'groups/family/film.mkv' })
    await page.getByRole('button', { name: 'Look at it' }).click()
    await vi.waitFor(() => expect(server.arriving.size).toBe(1), { timeout: 10_000 })
    await go(page, 'transfers')
    await vi.waitFor(() => expect(server.arriving.size).toBe(0), { timeout: 10_000 })
  })

  test('a limit by the hour is set from the form, and a wrong one is refused before it is asked for', async () => {
    const { page, world } = await pages.open({ user: 'ann', view: 'limits' })
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

  test('what the client needs is checked when somebody comes to see it, with what to do', async () => {
    const { page, world } = await pages.open({ user: 'ann', view: 'checks' })
    await expectShown(page.getByText('No client comes through to this one from outside'))
    await expectShown(page.getByText('Forward port 4444 at the router'))
    await page.getByRole('button', { name: 'Check again' }).click()
    await vi.waitFor(() => expect(world.calls.filter((call) => call === 'doctor()')).toHaveLength(2))
    // Without a user too.
    await world.operations.logout()
    await page.getByRole('link', { name: 'Log in' }).waitFor()
    await expectShown(page.getByText('No client comes through to this one from outside'))
  })

  test('a password is set anew with a code, and what waits in a group is asked for as a whole', async () => {
    const { page, world } = await pages.open()
    const form = page.locator('form').nth(2)
    await form.getByLabel('User').fill('ann')
    await form.getByLabel('Code').fill('1234-5678')
    await form.getByLabel('New password').fill('better-horse')
    await form.getByRole('button', { name: 'Set the new password' }).click()
    await expectShown(page.getByText('the password of ann is changed; log in now'))
    expect(world.calls).toContain('resetPassword("ann", "1234-5678", "better-horse")')
    await world.operations.login('ann', 'correct-horse')
    await go(page, 'groups/family')
    await page.getByRole('button', { name: 'Why does something wait?' }).click()
    await expectShown(page.getByRole('dialog', { name: 'What waits in family' }))
    expect(world.calls).toContain('why("family")')
  })

  test('an entry has limits of its own', async () => {
    const { page, world } = await pages.open({ user: 'ann', view: 'groups/family/film.mkv' })
    await expectShown(page.getByText('upload: 64K bytes a second.'))
    await page.getByLabel('Rate in bytes a second').fill('128K')
    await page.getByRole('button', { name: 'Set the limit' }).click()
    await expectShown(page.getByText('upload of film.mkv: 128K bytes a second'))
    expect(world.calls).toContain(
      'setLimit({"direction":"upload","bytesPerSecond":131072,"entry":{"group":"family","name":"film.mkv"}})',
    )
  })

  test('a part of a folder is downloaded, with what is here of it already', async () => {
    const { page, world } = await pages.open({ user: 'ann', view: 'groups/family/holiday' })
    await page.getByLabel('Folder or path on this computer').fill('/home/ann')
    await page.getByLabel('Only this part of the folder').fill('day 1')
    await page.getByText('When something of it is here already').click()
    await page.getByLabel('Take what is there').check()
    await page.getByLabel('Another file or folder').fill('/home/ann/old')
    await page.getByRole('button', { name: 'Download', exact: true }).click()
    await expectShown(page.getByText('downloading holiday/day 1 to /home/ann'))
    expect(world.calls).toContain(
      'downloadFile("family", "holiday/day 1", "/home/ann", {"overwrite":false,"adopt":true,"from":"/home/ann/old"})',
    )
  })

  test('of files that are dropped together each has its turn, and says what became of it', async () => {
    const { page, server } = await pages.open({ user: 'ann', view: 'groups/family' })
    let answer = (): void => {}
    server.holdDrops(new Promise((resolve) => (answer = resolve)))
    await dropFiles(page, { 'one.txt': '1'.repeat(100_000), 'two.txt': '2'.repeat(100_000) })
    const copying = page.getByRole('list', { name: 'Files that are copied' })
    await expectShown(copying.getByText('100 %'))
    await expectShown(copying.getByText('waits for its turn'))
    answer()
    await expectShown(page.getByText('two.txt is shared in family'))
    await expectGone(copying)
    expect(server.dropped.map(({ name, bytes }) => [name, bytes])).toEqual([
      ['one.txt', 100_000],
      ['two.txt', 100_000],
    ])
  })

  test('a table is sorted by its headings, upwards and downwards, and says so', async () => {
    const { page } = await pages.open({ user: 'ann', view: 'groups/family' })
    await expectShown(page.getByText('10000 entries'))
    const table = page.getByRole('table', { name: 'Files and folders' })
    const first = (): Promise<string | null> => table.getByRole('link').first().textContent()
    const heading = table.getByRole('columnheader', { name: 'Size' })
    await heading.getByRole('button').press('Enter')
    await vi.waitFor(async () => expect(await first()).toContain('onerror'))
    expect(await heading.getAttribute('aria-sort')).toBe('ascending')
    await heading.getByRole('button').press('Enter')
    await vi.waitFor(async () => expect(await first()).toBe('film.mkv'))
    expect(await heading.getAttribute('aria-sort')).toBe('descending')
  })
})
