// How far behind a tracker knows itself to be.

import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { SqliteLog } from '../../../src/tracker/log/sqlite-log.ts'
import { temporaryFolder } from '../support/test-tracker.ts'
import { Follower } from './follower.ts'

async function openLog(path: string): Promise<SqliteLog> {
  const log = new SqliteLog(path)
  await log.follow(new Follower())
  onTestFinished(() => log.close())
  return log
}

test('entries of another tracker are lag until they are delivered', async () => {
  // Time stands still, and so do the looks that a log takes by itself.
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
  onTestFinished(() => void vi.useRealTimers())
  const path = join(temporaryFolder(), 'log.sqlite')
  const [writer, reader] = [await openLog(path), await openLog(path)]
  expect(reader.lag()).toEqual({ entries: 0, ms: 0 })
  await writer.append(['a', 'b'])
  expect(writer.lag()).toMatchObject({ entries: 0 })
  expect(reader.lag()).toMatchObject({ entries: 2 })
  reader.sync()
  expect(reader.lag()).toEqual({ entries: 0, ms: 0 })
})

test('a log that nobody looked at is behind by that time', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
  onTestFinished(() => void vi.useRealTimers())
  const log = await openLog(join(temporaryFolder(), 'log.sqlite'))
  const look = vi.spyOn(log, 'sync').mockReturnValue(undefined)
  vi.advanceTimersByTime(1000)
  expect(log.lag()).toEqual({ entries: 0, ms: 1000 })
  look.mockRestore()
  vi.advanceTimersByTime(25)
  expect(log.lag()).toEqual({ entries: 0, ms: 0 })
})
