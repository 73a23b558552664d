// The bars of files that are hashed or verified, above the prompt.

import { expect, onTestFinished, test, vi } from 'vitest'
import type { DownloadView, HashingView } from '../../../src/client/operations.ts'
import type { LiveScreen } from '../../../src/client/prompt/live-view.ts'
import { ReadingBars } from '../../../src/client/prompt/reading-bars.ts'
import { download, fakeClient } from './fake-operations.ts'

const half = { sizeBytes: 1000, bytesDone: 500, bytesPerSecond: 100 }
const hashing = (name: string): HashingView => ({ group: 'g', name, path: `/${name}`, ...half })
const verifying = (name: string): DownloadView => download({ name, state: 'running', verifying: half })

/** Bars on a screen that remembers what was drawn, and time that passes by the test. */
function bars() {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const read: { hashing: HashingView[]; downloads: DownloadView[] } = { hashing: [], downloads: [] }
  const client = fakeClient()
  let looks = 0
  client.answers.showHashing = async () => {
    looks++
    return read.hashing
  }
  client.answers.showDownloads = async () => read.downloads
  const drawn: string[][] = []
  const screen = {
    size: { columns: 100, rows: 30 },
    showLive: (_owner: symbol, lines: readonly { text: string }[]) =>
      void drawn.push(lines.map(({ text }) => text)),
  } as unknown as LiveScreen
  return { bars: new ReadingBars(screen, client.operations), read, drawn, looks: () => looks }
}

test('an upload has a bar until it is done, and one that is quick has none', async () => {
  const { bars: reading, read, drawn } = bars()
  read.hashing = [hashing('film.mkv')]
  let share = (): void => undefined
  const shown = reading.begin(new Promise<void>((resolve) => (share = resolve)))
  await vi.advanceTimersByTimeAsync(699)
  expect(drawn).toEqual([])
  await vi.advanceTimersByTimeAsync(1)
  expect(drawn.at(-1)?.[0]).toMatch(/^\[H\] \[g\] film\.mkv .* 50 % {2}hashing .* 5 s left$/)
  read.hashing = []
  share()
  await shown
  expect(drawn.at(-1)).toEqual([])
  drawn.length = 0
  await reading.begin(Promise.resolve())
  expect(drawn).toEqual([])
})

test('what is verified after a login has a bar, also when it begins some seconds later', async () => {
  const { bars: reading, read, drawn, looks } = bars()
  const shown = reading.begin()
  await vi.advanceTimersByTimeAsync(3000)
  expect(drawn).toEqual([])
  read.downloads = [verifying('film.mkv'), download({ name: 'other', state: 'running' })]
  await vi.advanceTimersByTimeAsync(10_000)
  expect(drawn.at(-1)).toHaveLength(1)
  expect(drawn.at(-1)?.[0]).toMatch(/^\[D\] \[g1\] film\.mkv .* 50 % {2}verifying .* 5 s left$/)
  read.downloads = []
  await vi.advanceTimersByTimeAsync(1000)
  await shown
  expect(drawn.at(-1)).toEqual([])
  const before = looks()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(looks()).toBe(before)
})

test('of many files the first five have bars, and each has one', async () => {
  const { bars: reading, read, drawn } = bars()
  read.hashing = ['a', 'b', 'c'].map(hashing)
  read.downloads = ['d', 'e', 'f', 'g'].map(verifying)
  void reading.begin()
  void reading.begin(Promise.resolve())
  await vi.advanceTimersByTimeAsync(700)
  expect(drawn.at(-1)?.map((line) => line.slice(0, 10))).toEqual([
    '[H] [g] a ',
    '[H] [g] b ',
    '[H] [g] c ',
    '[D] [g1] d',
    '[D] [g1] e',
    'and 2 more',
  ])
})

test('an upload that begins when the last look found nothing has its bar', async () => {
  const { bars: reading, read, drawn } = bars()
  await reading.begin(Promise.resolve()).then(() => {
    read.hashing = [hashing('film.mkv')]
    void reading.begin(new Promise(() => undefined))
  })
  await vi.advanceTimersByTimeAsync(700)
  expect(drawn).toHaveLength(1)
})
