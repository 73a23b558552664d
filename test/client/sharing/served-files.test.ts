import { expect, onTestFinished, test, vi } from 'vitest'
import { ServedFiles, type Served } from '../../../src/client/sharing/served-files.ts'

interface Watched {
  readonly served: Served
  readonly looks: () => number
  /** What was done, in order. */
  readonly done: string[]
}

function files(): ServedFiles {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  const made = new ServedFiles()
  onTestFinished(async () => {
    await made.close('the test is over')
    vi.useRealTimers()
  })
  return made
}

/** `parts`: how many looks see all of it. */
function watched(name: string, parts = 1): Watched {
  let looks = 0
  const done: string[] = []
  const file = {
    looks: parts,
    changed: [],
    look: () => Promise.resolve(void looks++),
    close: () => void done.push('close'),
  }
  const offer = {
    tellHave: () => undefined,
    tellChanged: () => undefined,
    announce: () => Promise.resolve(),
    withdraw: (why: string) => void done.push(why),
  }
  const share = { group: 'g', name, fileId: 'ab'.repeat(32), sizeBytes: 1, path: `/${name}` }
  return { served: { share, file, offer }, looks: () => looks, done }
}

test.each([1, 7, 300])(
  'of %i files a tenth is looked at each second, all in turn, also when others go',
  (count) => {
    const served = files()
    const all = Array.from({ length: count }, (_, each) => watched(`f${each}`))
    for (const each of all) served.put(each.served, 'new')
    vi.advanceTimersByTime(5000)
    const gone = all.splice(0, Math.floor(count / 3))
    for (const { served: each } of gone) served.drop(each.share, 'gone')
    vi.advanceTimersByTime(15_000)
    expect(all.every(({ looks }) => looks() >= 1)).toBe(true)
    const sum = [...all, ...gone].reduce((looks, each) => looks + each.looks(), 0)
    expect(sum).toBeLessThanOrEqual(20 * Math.ceil(count / 10))
  },
)

test('no more than a hundred files are looked at a second', () => {
  const served = files()
  const all = Array.from({ length: 3000 }, (_, each) => watched(`f${each}`))
  for (const each of all) served.put(each.served, 'new')
  vi.advanceTimersByTime(1000)
  expect(all.filter(({ looks }) => looks() > 0)).toHaveLength(100)
  vi.advanceTimersByTime(40_000)
  expect(all.every(({ looks }) => looks() > 0)).toBe(true)
})

test('a folder of very many files has its part of the looks, and the other files theirs', () => {
  const served = files()
  const folder = watched('folder', 100_000)
  const all = [folder, ...Array.from({ length: 50 }, (_, each) => watched(`f${each}`))]
  for (const each of all) served.put(each.served, 'new')
  vi.advanceTimersByTime(10_000)
  expect(all.slice(1).every(({ looks }) => looks() > 0)).toBe(true)
  expect(folder.looks()).toBeGreaterThan(250)
  expect(all.reduce((sum, { looks }) => sum + looks(), 0)).toBe(1000)
  served.drop(folder.served.share, 'gone')
  const before = folder.looks()
  vi.advanceTimersByTime(10_000)
  expect(folder.looks() - before).toBeLessThanOrEqual(25)
  expect(all.slice(1).reduce((sum, { looks }) => sum + looks(), 0)).toBeLessThanOrEqual(1000)
})

test('what takes the place of a file is there before that one ends', () => {
  const served = files()
  const [first, second] = [watched('f'), watched('f')]
  served.put(first.served, 'new')
  served.put(second.served, 'there is a new version')
  expect(first.done).toEqual(['there is a new version', 'close'])
  expect(served.find({ group: 'g', name: 'f' })).toBe(second.served)
})

test('closing ends all of thousands, and looks at none any more', async () => {
  const served = files()
  const all = Array.from({ length: 1200 }, (_, each) => watched(`f${each}`))
  for (const each of all) served.put(each.served, 'new')
  await served.close('logged out')
  expect(all.every(({ done }) => done.join() === 'logged out,close')).toBe(true)
  vi.advanceTimersByTime(30_000)
  expect(all.some(({ looks }) => looks() > 0)).toBe(false)
})
