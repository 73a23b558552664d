import { expect, test } from 'vitest'
import { BatchSize } from '../../src/tracker/batch-size.ts'
import { appendCommandsMax } from '../../src/tracker/limits.ts'

/** One batch after another of commands that take so long each; the commands of the last one. */
function after(batches: BatchSize, count: number, commandMs: number): number {
  for (let batch = 0; batch < count; batch++) {
    const commands = batches.max
    batches.onBatch(commands)
    for (let command = 0; command < commands; command++) batches.onApplied(commandMs)
  }
  batches.onBatch(batches.max)
  return batches.max
}

// Each of 256 new versions was told to 40 connections, in one go: a ping waited 60 ms.
test('of commands that take long to apply fewer go together, and of quick ones as many as before', () => {
  const batches = new BatchSize()
  expect(batches.max).toBe(appendCommandsMax)
  const slow = after(batches, 3, 0.2)
  expect(slow * 0.2).toBeLessThan(10)
  expect(slow * 0.2).toBeGreaterThan(3)
  expect(after(batches, 10, 0.01)).toBe(appendCommandsMax)
})

test('commands that take very long still go some together, so that commits do not take all the time', () => {
  expect(after(new BatchSize(), 3, 100)).toBe(8)
})
