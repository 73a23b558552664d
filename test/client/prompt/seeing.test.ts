// What a script sees of transfers: lines of bytes for replies, and progress apart from them.

import { resolve } from 'node:path'
import { Readable } from 'node:stream'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { EntryView, Operations } from '../../../src/client/operations.ts'
import type { ScriptOptions } from '../../../src/client/prompt/options.ts'
import { runPrompt } from '../../../src/client/prompt/prompt.ts'
import { accept, refuse } from '../../../src/common/refusal.ts'
import { download, entry, fakeClient } from './fake-operations.ts'
import { collector } from './script.ts'

async function runLine(
  line: string,
  answers: Partial<Operations>,
  client = fakeClient(),
  script: ScriptOptions = {},
) {
  Object.assign(client.answers, answers)
  const [replies, progress] = [collector(), collector()]
  const exitCode = await runPrompt({
    operations: client.operations,
    subscribe: client.subscribe,
    input: Readable.from([Buffer.from(`${line}\n`)]),
    output: replies.output,
    progress: progress.output,
    isTerminal: false,
    linger: false,
    script,
  })
  const lines = (text: string): string[] => text.split('\n').slice(0, -1)
  return { lines: lines(replies.printed()), progress: lines(progress.printed()), exitCode }
}

const upload = {
  group: 'g1',
  name: 'film.mkv',
  user: 'ben',
  peer: 'ben@10.0.0.2',
  way: 'direct' as const,
  bytesPerSecond: 1000.4,
  sentBytes: 4096,
  pieceCount: 2,
  pieces: 1,
}

test('show_uploads says who fetches what, in bytes', async () => {
  expect((await runLine('show_uploads', { showUploads: async () => [upload] })).lines).toEqual([
    '[g1] film.mkv  ben@10.0.0.2  4096 bytes  1000 bytes/s',
  ])
})

test('watch says how a file gets on apart from the replies, and in the end how it stands', async () => {
  const running = entry({ state: 'running', piecesDone: 4, bytesInPerSecond: 1024 * 1024 })
  const seen: EntryView[] = [running, running, { ...running, piecesDone: 5 }, entry({})]
  const answers = { inspect: async () => accept(seen.shift() ?? entry({})) }
  const { lines, progress } = await runLine('watch g1 film.mkv', answers)
  // The third had come on by less than a tenth.
  expect(progress).toEqual([
    '[g1] film.mkv: 10 %, 2097152 of 20971520 bytes, in 1048576 bytes/s, out 0 bytes/s, 18 seconds left, 0 peers, 0 members online lack pieces',
  ])
  expect(lines).toEqual([
    '[g1] film.mkv: 100 %, 20971520 of 20971520 bytes, out 0 bytes/s, 0 peers, 0 members online lack pieces',
  ])
})

test('watch of what is not here is refused, at once or when it is gone', async () => {
  const gone = refuse('not-shared', 'you neither share nor download it')
  const { lines, exitCode } = await runLine('watch g1 film.mkv', { inspect: async () => gone })
  expect([lines, exitCode]).toEqual([['error: you neither share nor download it'], 6])
  const seen = [accept(entry({ state: 'running' })), gone]
  const later = await runLine('watch g1 film.mkv', { inspect: async () => seen.shift() ?? gone })
  expect(later.lines).toEqual(['error: you neither share nor download it'])
})

test('watch with a group alone says what is missing', async () => {
  expect((await runLine('watch g1', {})).lines).toEqual([
    'error: watch needs a group and a name, or neither: watch [group] [name]',
  ])
})

test('pieces that came before this session are said to be from earlier ones', async () => {
  const client = fakeClient()
  client.downloads.push(download({ name: 'a', state: 'running', piecesDone: 7, pieceCount: 9 }))
  expect((await runLine('show_downloads --details', {}, client)).lines).toEqual([
    '[D] [g1] a',
    '    7 of 9 pieces, 3.0 MiB/s; 1 from abc@127.0.0.1:4444, 6 here before',
  ])
})

/** Time passes in `running`, as fast as it can. */
function hurry(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  onTestFinished(() => void vi.useRealTimers())
}

async function running<T>(promise: Promise<T>): Promise<T> {
  const state = { isOver: false }
  const over = (): void => void (state.isOver = true)
  promise.then(over, over)
  while (!state.isOver) {
    await vi.advanceTimersByTimeAsync(1000)
    await new Promise<void>((next) => setImmediate(next))
  }
  return promise
}

/** A client whose download comes on by a piece of 100 with each look, and ends with so many. */
function slowly(looksMax = 100) {
  const client = fakeClient()
  let piecesDone = 0
  let settle = (_isSettled: boolean): void => undefined
  const settled = new Promise<boolean>((resolve) => (settle = resolve))
  client.answers.showDownloads = async () => {
    if (++piecesDone >= looksMax) settle(true)
    const state = piecesDone < looksMax ? 'running' : 'complete'
    const sizes = { sizeBytes: 52_428_800, pieceCount: 100, bytesPerSecond: 524_288 }
    return [download({ name: 'film.mkv', state, piecesDone, ...sizes })]
  }
  client.answers.downloadsSettled = () => settled
  return client
}

test('wait says apart from the replies how the downloads get on, every tenth, and not more than once in ten seconds', async () => {
  hurry()
  const { lines, progress } = await running(runLine('wait', {}, slowly()))
  expect(progress.length).toBeGreaterThan(7)
  expect(progress.length).toBeLessThan(11)
  expect(progress[0]).toMatch(
    /^\[g1\] film\.mkv: 1\d %, \d+ of 52428800 bytes, 524288 bytes\/s, \d+ seconds left$/,
  )
  expect(lines).toEqual(['no download is running'])
})

test('a script that ends waits with the same words, and with JSON nothing is said beside it', async () => {
  hurry()
  expect((await running(runLine('whoami', {}, slowly()))).progress.length).toBeGreaterThan(7)
  const client = slowly()
  client.answers.downloadsSettled = () => new Promise((resolve) => setTimeout(() => resolve(true), 60_000))
  expect((await running(runLine('wait', {}, client, { isJson: true }))).progress).toEqual([])
})

test('what is verified first is said to be, and what is fetched then begins anew', async () => {
  hurry()
  const client = slowly(200)
  const { showDownloads } = client.answers
  let looks = 0
  client.answers.showDownloads = async () => {
    const seen = (await showDownloads?.()) ?? []
    const verifying = { sizeBytes: 50, bytesDone: ++looks, bytesPerSecond: 1 }
    return looks > 50
      ? seen.map((one) => ({ ...one, piecesDone: looks - 50 }))
      : seen.map((one) => ({ ...one, verifying }))
  }
  const { progress } = await running(runLine('wait', {}, client))
  expect(progress[0]).toMatch(/^verifying film\.mkv: \d+ %, \d+ of 50 bytes, 1 bytes\/s, \d+ seconds left$/)
  expect(progress.filter((line) => line.startsWith('[g1] film.mkv: ')).length).toBeGreaterThan(5)
})

test('what takes less than ten seconds says nothing', async () => {
  hurry()
  expect((await running(runLine('wait', {}, slowly(9)))).progress).toEqual([])
})

test('upload_file says how far the hashing is', async () => {
  hurry()
  const path = resolve('film.mkv')
  let bytesDone = 0
  let share = (): void => undefined
  const hashed = new Promise<void>((done) => (share = done))
  const { lines, progress } = await running(
    runLine('upload_file film.mkv g1', {
      showHashing: async () => {
        if (++bytesDone === 30) share()
        return [
          { group: 'g2', name: 'other', path, sizeBytes: 1, bytesDone: 1, bytesPerSecond: 0 },
          { group: 'g1', name: 'film.mkv', path, sizeBytes: 100, bytesDone, bytesPerSecond: 2 },
        ]
      },
      uploadFile: async (_path, group) => {
        await hashed
        return accept({ name: 'film.mkv', group, sizeBytes: 100, pieceCount: 1 })
      },
    }),
  )
  expect(progress[0]).toMatch(/^hashing film\.mkv: 1\d %, 1\d of 100 bytes, 2 bytes\/s, 4\d seconds left$/)
  expect(progress.length).toBeLessThan(4)
  expect(lines).toEqual(['sharing film.mkv in g1 (100 bytes, 1 piece)'])
})
