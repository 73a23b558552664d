// npm run bench:page [-- <part> ...] [--entries <n>] [--mib <n>] [--rounds <n>]
// The page of a real client in Chromium. Parts: opening a group of 10,000 entries, from the click to the picture with its
// rows (bound: 300 ms); an event, from the command of another client to the picture (bound: 100 ms); and downloads of a
// client with the page open beside the same without it, in turns (bound: 0.98 of the speed). Medians; all parts without
// words.

import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Browser, Page } from 'playwright-core'
import type { Program } from '../src/demo/program.ts'
import { hasBrowser, openPage, startBrowser } from '../test/web/page/browser.ts'
import { group, inArena, makeFile, percentile, type Arena } from './arena.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    entries: { type: 'string', default: '10000' },
    mib: { type: 'string', default: '1024' },
    rounds: { type: 'string', default: '9' },
  },
})
const rounds = Number(values.rounds)

async function pageOf(browser: Browser, client: Program): Promise<Page> {
  const link = await client.say('show_page', (line) => line.includes('http:'))
  const { page } = await openPage(browser, /http:\S+/.exec(link)?.[0] ?? '')
  await page.getByRole('link', { name: group }).waitFor()
  return page
}

/**
 * In the page: milliseconds since 1970 at the first picture whose text matches, after `begin` has been done there, and when
 * that was done.
 */
async function shownAt(
  page: Page,
  text: string,
  begin: string,
): Promise<{ beganMs: number; shownMs: number }> {
  const script = `new Promise((resolve) => {
    const now = () => performance.timeOrigin + performance.now()
    const look = () => {
      if (!document.body.innerText.includes(${JSON.stringify(text)})) return requestAnimationFrame(look)
      // What is found before a picture is on the screen after it.
      requestAnimationFrame(() => resolve({ beganMs, shownMs: now() }))
    }
    const beganMs = now()
    ${begin}
    look()
  })`
  return (await page.evaluate(script)) as { beganMs: number; shownMs: number }
}

function report(what: string, timesMs: readonly number[], boundMs: number): void {
  const sorted = timesMs.toSorted((one, other) => one - other)
  const [median, least, most] = [percentile(sorted, 0.5), sorted[0] ?? 0, sorted.at(-1) ?? 0]
  const verdict = median < boundMs ? 'within' : 'OVER'
  console.log(
    `${what.padEnd(42)} ${median.toFixed(0)} ms (${least.toFixed(0)} to ${most.toFixed(0)}, ${verdict} ${boundMs} ms)`,
  )
}

/** Many entries of a few bytes. */
async function shareMany(arena: Arena, count: number): Promise<void> {
  const folder = join(arena.folder, 'many')
  mkdirSync(folder)
  const paths = Array.from({ length: count }, (_, at) =>
    join(folder, `picture of the holiday ${String(at).padStart(5, '0')}.jpg`),
  )
  for (const path of paths) writeFileSync(path, path)
  const script = join(arena.folder, 'script')
  writeFileSync(script, paths.map((path) => `upload_file "${path}" ${group}\n`).join(''))
  await arena.runScript('owner', script)
}

async function measureOpening(browser: Browser): Promise<void> {
  const count = Number(values.entries)
  await inArena(async (arena) => {
    const owner = await arena.startMember('owner')
    await shareMany(arena, count)
    const page = await pageOf(browser, owner)
    const [rows, whole]: [number[], number[]] = [[], []]
    for (let round = 0; round < rounds; round++)
      for (const [text, times] of [
        ['holiday 00005.jpg', rows],
        [`${count} entries`, whole],
      ] as const) {
        const { beganMs, shownMs } = await shownAt(page, text, `location.hash = '#/groups/${group}'`)
        times.push(shownMs - beganMs)
        await shownAt(page, 'New group', `location.hash = '#/groups'`)
      }
    report(`opening ${count} entries: the first rows`, rows, 300)
    report(`opening ${count} entries: all of them`, whole, 300)
  })
}

async function measureEvents(browser: Browser): Promise<void> {
  await inArena(async (arena) => {
    const owner = await arena.startMember('owner')
    const guest = await arena.startMember('guest')
    const page = await pageOf(browser, owner)
    const times: number[] = []
    for (let round = 0; round < rounds; round++) {
      const name = `club${round}`
      await owner.say(`create_group ${name}`)
      const shown = shownAt(page, `guest asks to join ${name}`, '')
      const beganMs = Date.now()
      await guest.say(`join_group ${name}`)
      times.push((await shown).shownMs - beganMs)
    }
    report('an event, from the command that causes it', times, 100)
  })
}

async function measureTransfers(browser: Browser): Promise<void> {
  await inArena(async (arena) => {
    const path = await makeFile(arena, 'data.bin', Number(values.mib))
    const owner = await arena.startMember('owner')
    const fetcher = await arena.startMember('fetcher')
    await owner.say(`upload_file ${path} ${group}`)
    const seconds: Record<'with' | 'without', number[]> = { with: [], without: [] }
    for (let round = -1; round < rounds; round++)
      // The first of a round has the warmer machine: they take turns.
      for (const kind of round % 2 === 0 ? (['with', 'without'] as const) : (['without', 'with'] as const)) {
        const page = kind === 'with' ? await pageOf(browser, fetcher) : undefined
        await page?.goto(`${new URL(page.url()).origin}/#/groups/${group}/data.bin`)
        const took = await secondsOf(fetcher, join(arena.folder, 'copy.bin'))
        // The first round warms up.
        if (round >= 0) seconds[kind].push(took)
        await page?.context().close()
      }
    const [open, none] = [seconds.with, seconds.without].map((each) =>
      percentile(
        each.toSorted((one, other) => one - other),
        0.5,
      ),
    )
    const ratios = seconds.with
      .map((each, round) => (seconds.without[round] ?? 0) / each)
      .toSorted((one, other) => one - other)
    const ratio = percentile(ratios, 0.5)
    const verdict = ratio >= 0.98 ? 'within' : 'UNDER'
    console.log(
      `a download of ${values.mib} MiB, page open / not      ${open?.toFixed(2)} / ${none?.toFixed(2)} s, × ${ratio.toFixed(3)} (${ratios[0]?.toFixed(3)} to ${ratios.at(-1)?.toFixed(3)}, ${verdict} 0.98)`,
    )
  })
}

async function secondsOf(fetcher: Program, destination: string): Promise<number> {
  const beganMs = performance.now()
  await fetcher.say(`download_file ${group} data.bin ${destination}`)
  await fetcher.next((line) => line === `[C] [${group}] data.bin`)
  const took = (performance.now() - beganMs) / 1000
  await fetcher.say(`stop_share ${group} data.bin`)
  rmSync(destination)
  return took
}

if (!hasBrowser) throw new Error('chromium is not installed')
const parts: Readonly<Record<string, (browser: Browser) => Promise<void>>> = {
  opening: measureOpening,
  events: measureEvents,
  transfers: measureTransfers,
}
const browser = await startBrowser()
try {
  for (const [name, measure] of Object.entries(parts))
    if (positionals.length === 0 || positionals.includes(name)) await measure(browser)
} finally {
  await browser.close()
}
