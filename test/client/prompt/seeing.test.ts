// What a script sees of transfers: lines of bytes for replies, and progress apart from them.

import { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import type { EntryView, Operations } from '../../../src/client/operations.ts'
import { runPrompt } from '../../../src/client/prompt/prompt.ts'
import { accept, refuse } from '../../../src/common/refusal.ts'
import { download, entry, fakeClient } from './fake-operations.ts'
import { collector } from './script.ts'

async function runLine(line: string, answers: Partial<Operations>, client = fakeClient()) {
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
  })
  const lines = (text: string): string[] => text.split('\n').slice(0, -1)
  return { lines: lines(replies.printed()), progress: lines(progress.printed()), exitCode }
}

const upload = {
  group: 'g1',
  name: 'film.mkv',
  user: 'ben',
  peer: 'ben@10.0.0.2',
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
    '[g1] film.mkv: 10 %, 2097152 of 20971520 bytes, in 1048576 bytes/s, out 0 bytes/s, 18 seconds left, 0 peers, 0 online lack some',
  ])
  expect(lines).toEqual([
    '[g1] film.mkv: 100 %, 20971520 of 20971520 bytes, out 0 bytes/s, 0 peers, 0 online lack some',
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
    '    7 of 9 pieces, 3.0 MiB/s from abc@127.0.0.1:4444 1, 6 from earlier sessions',
  ])
})
