// npm run bench:page [-- <part> ...] [--entries <n>] [--mib <n>] [--rounds <n>]
// The page of a real client in Chromium. Parts: opening a group of 10,000 entries, from the click to the picture with its
// rows (bound: 300 ms), and scrolling through them (bound: 50 ms for the longest task); an event, from the command of another client to the picture (bound: 100 ms); and downloads of a
// client with the page open beside the same without it, in turns (bound: 0.98 of the speed). Medians; all parts without
// words.

import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Browser, Page } from 'playwright-core'
import type { Program } from '../src/demo/program.ts'
import { hasBrowser, openPage, startBrowser } from '../test/web/page/browser.ts'
import { cpuSecondsOf, cpuSecondsOfBrowser } from './cpu-seconds.ts'
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
const settledWithinMs = 2000

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
    await shownAt(page, `${count} entries`, `location.hash = '#/groups/${group}'`)
    const [scrolled, still]: [Frames[], Frames[]] = [[], []]
    for (let round = 0; round < rounds; round++) {
      scrolled.push(await framesOf(page, true))
      still.push(await framesOf(page, false))
    }
    reportFrames(`scrolling ${count} entries`, scrolled)
    reportFrames('the same page, not scrolled', still)
  })
}

interface Frames {
  /** From one picture to the next. */
  readonly framesMs: readonly number[]
  /** Zero where none took 50 ms: browsers name no shorter ones. */
  readonly longestTaskMs: number
}

const scrollSteps = 300

/** From the first row to the last, a step a picture; or of as many pictures without a step, which says how busy the machine is. */
async function framesOf(page: Page, scrolls: boolean): Promise<Frames> {
  const script = `new Promise((resolve) => {
    const box = document.querySelector('.table-box')
    const stepPx = ${scrolls} * (box.scrollHeight - box.clientHeight) / ${scrollSteps}
    const framesMs = []
    let longestTaskMs = 0
    const watch = new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) longestTaskMs = Math.max(longestTaskMs, duration)
    })
    box.scrollTop = 0
    let lastMs
    const step = (nowMs) => {
      if (lastMs === undefined) watch.observe({ type: 'longtask' })
      else framesMs.push(nowMs - lastMs)
      lastMs = nowMs
      box.scrollTop = stepPx * (framesMs.length + 1)
      if (framesMs.length < ${scrollSteps}) return requestAnimationFrame(step)
      // What was observed last is told in a task of its own.
      setTimeout(() => resolve({ framesMs, longestTaskMs }), 200)
    }
    requestAnimationFrame(() => requestAnimationFrame(step))
  })`
  return (await page.evaluate(script)) as Frames
}

const lateFrameMs = 34

function reportFrames(what: string, rounds: readonly Frames[]): void {
  report(
    `${what}: longest task`,
    rounds.map(({ longestTaskMs }) => longestTaskMs),
    50,
  )
  const frames = rounds.flatMap(({ framesMs }) => framesMs).toSorted((one, other) => one - other)
  const late = frames.filter((frameMs) => frameMs > lateFrameMs).length
  const [median, longest] = [percentile(frames, 0.5), frames.at(-1) ?? 0]
  console.log(
    `${''.padEnd(42)} a frame ${median.toFixed(0)} ms, the longest ${longest.toFixed(0)} ms, ${((100 * late) / frames.length).toFixed(1)} % over ${lateFrameMs} ms`,
  )
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
    const took: Record<'with' | 'without', Took[]> = { with: [], without: [] }
    for (let round = -1; round < rounds; round++)
      // The first of a round has the warmer machine: they take turns.
      for (const kind of round % 2 === 0 ? (['with', 'without'] as const) : (['without', 'with'] as const)) {
        const page = kind === 'with' ? await pageOf(browser, fetcher) : undefined
        await page?.goto(`${new URL(page.url()).origin}/#/groups/${group}/data.bin`)
        // A browser that has just opened a page is busy with it.
        await page?.waitForLoadState('load')
        await page?.waitForTimeout(settledWithinMs)
        const each = await timesOf(fetcher, join(arena.folder, 'copy.bin'))
        // The first round warms up.
        if (round >= 0) took[kind].push(each)
        await page?.context().close()
      }
    reportRatio('time', took.with, took.without, ({ seconds }) => seconds)
    reportRatio('processor time', took.with, took.without, ({ cpuSeconds }) => cpuSeconds)
    const ofBrowser = took.with.map(({ browserSeconds }) => browserSeconds).toSorted((a, b) => a - b)
    console.log(
      `${'the same, processor time of the browser'.padEnd(54)}${percentile(ofBrowser, 0.5).toFixed(2)} s (${ofBrowser[0]?.toFixed(2)} to ${ofBrowser.at(-1)?.toFixed(2)})`,
    )
  })
}

interface Took {
  readonly seconds: number
  /** Of the client. */
  readonly cpuSeconds: number
  /** Of Chromium, its processes together. */
  readonly browserSeconds: number
}

function reportRatio(
  what: string,
  open: readonly Took[],
  none: readonly Took[],
  valueOf: (took: Took) => number,
): void {
  const ofRound = (round: number): number => {
    const [one, other] = [open[round], none[round]]
    return one === undefined || other === undefined ? 0 : valueOf(other) / valueOf(one)
  }
  const median = (all: readonly Took[]): number =>
    percentile(
      all.map(valueOf).toSorted((one, other) => one - other),
      0.5,
    )
  const ratios = open.map((_, round) => ofRound(round)).toSorted((one, other) => one - other)
  const ratio = percentile(ratios, 0.5)
  console.log(
    `a download, ${what}, with the page / without`.padEnd(54) +
      `${median(open).toFixed(2)} / ${median(none).toFixed(2)} s, × ${ratio.toFixed(3)} (${ratios[0]?.toFixed(3)} to ${ratios.at(-1)?.toFixed(3)}, ${ratio >= 0.98 ? 'within' : 'UNDER'} 0.98)`,
  )
}

async function timesOf(fetcher: Program, destination: string): Promise<Took> {
  const { pid } = fetcher.process
  const [beganMs, cpuBegan, browserBegan] = [performance.now(), cpuSecondsOf(pid), cpuSecondsOfBrowser()]
  await fetcher.say(`download_file ${group} data.bin ${destination}`)
  await fetcher.next((line) => line === `[C] [${group}] data.bin`)
  const seconds = (performance.now() - beganMs) / 1000
  const [cpuSeconds, browserSeconds] = [cpuSecondsOf(pid) - cpuBegan, cpuSecondsOfBrowser() - browserBegan]
  await fetcher.say(`stop_share ${group} data.bin`)
  rmSync(destination)
  return { seconds, cpuSeconds, browserSeconds }
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
