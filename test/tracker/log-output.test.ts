import { expect, test } from 'vitest'
import { LogOutput } from '../../src/tracker/log-output.ts'

/** A disk with so many bytes left, and what was written to it. */
function disk(bytesLeft: number) {
  const state = { bytesLeft, written: '' }
  const write = (bytes: Buffer): number => {
    if (state.bytesLeft === 0) throw Object.assign(new Error('no space left'), { code: 'ENOSPC' })
    const taken = bytes.subarray(0, Math.min(bytes.length, state.bytesLeft))
    state.bytesLeft -= taken.length
    state.written += taken.toString()
    return taken.length
  }
  return { state, write }
}

test('lines are written as they come', () => {
  const { state, write } = disk(1000)
  const output = new LogOutput(write)
  for (const line of ['one\n', 'two\n']) output.write(line)
  expect([state.written, output.droppedLines]).toEqual(['one\ntwo\n', 0])
})

// The handler of uncaught exceptions logged, which threw again: the tracker died with code 7 and no word.
test('lines that cannot be written are dropped and counted, and the next one says how many', () => {
  const { state, write } = disk(4)
  const output = new LogOutput(write)
  for (const line of ['one\n', 'two\n', 'three\n']) output.write(line)
  expect([state.written, output.droppedLines]).toEqual(['one\n', 2])
  state.bytesLeft = 1000
  output.write('four\n')
  const [first, second, third] = state.written.trim().split('\n')
  expect([first, third]).toEqual(['one', 'four'])
  expect(JSON.parse(second ?? '')).toMatchObject({
    level: 40,
    msg: '2 lines of the log could not be written',
  })
  expect(output.droppedLines).toBe(2)
})

test('a line of which a part was written is finished before the next', () => {
  const { state, write } = disk(6)
  const output = new LogOutput(write)
  for (const line of ['one\n', 'two\n', 'three\n']) output.write(line)
  state.bytesLeft = 1000
  output.write('four\n')
  expect(state.written).toMatch(/^one\ntwo\n\{.*1 line of the log.*\}\nfour\n$/)
})
