// What every engine of the log promises.

import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { CommandLog } from '../../../src/tracker/log/command-log.ts'
import { MemoryLog } from '../../../src/tracker/log/memory-log.ts'
import { SqliteLog } from '../../../src/tracker/log/sqlite-log.ts'
import { temporaryFolder } from '../support/test-tracker.ts'
import { Follower } from './follower.ts'

/** Each gives a function that opens the same log again, and keeps nothing behind a snapshot. */
const engines: Record<string, () => () => CommandLog> = {
  'SQLite file': () => {
    const path = join(temporaryFolder(), 'log.sqlite')
    return () => {
      const log = new SqliteLog(path, 0)
      onTestFinished(() => log.close())
      return log
    }
  },
  memory: () => {
    const log = new MemoryLog()
    return () => log
  },
}

describe.each(Object.entries(engines))('log in %s', (_name, engine) => {
  test('entries are delivered once, in order, with positions from 1 on', async () => {
    const log = engine()()
    const follower = new Follower()
    await log.follow(follower)
    await Promise.all([log.append(['a', 'b']), log.append(['c'])])
    await log.append(['d'])
    expect(follower.delivered).toEqual(['1 a', '2 b', '3 c', '4 d'])
  })

  test('a later follower gets everything from the start', async () => {
    const open = engine()
    const first = open()
    await first.follow(new Follower())
    await first.append(['a', 'b'])
    const follower = new Follower()
    await open().follow(follower)
    expect(follower.delivered).toEqual(['1 a', '2 b'])
  })

  test('a snapshot stands for the entries up to its position', async () => {
    const open = engine()
    const first = open()
    await first.follow(new Follower())
    await first.append(['a', 'b'])
    await first.saveSnapshot(() => ({ position: 2, text: 'ab' }))
    await first.append(['c'])
    const follower = new Follower()
    await open().follow(follower)
    expect(follower.delivered).toEqual(['2 [ab]', '3 c'])
  })

  test('two followers see the entries of both in one order', async () => {
    const open = engine()
    const logs = [open(), open()]
    const followers = [new Follower(), new Follower()]
    await Promise.all(logs.map((log, index) => log.follow(followers[index] as Follower)))
    for (let round = 0; round < 20; round++) await logs[round % 2]?.append([`r${round}`])
    for (const log of logs) log.catchUp()
    const expected = Array.from({ length: 20 }, (_, round) => `${round + 1} r${round}`)
    for (const follower of followers) expect(follower.delivered).toEqual(expected)
  })
})
