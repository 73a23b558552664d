// Making the data file while another tracker makes it too.

import type * as fs from 'node:fs'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { SqliteLog } from '../../../src/tracker/log/sqlite-log.ts'
import { temporaryFolder } from '../support/test-tracker.ts'
import { Follower } from './follower.ts'

/** Files that are not seen at the next look: somebody makes them just after it. */
const madeAfterTheLook = vi.hoisted(() => new Set<unknown>())

vi.mock('node:fs', async (original) => {
  const real = await original<typeof fs>()
  return { ...real, existsSync: (path: string) => !madeAfterTheLook.delete(path) && real.existsSync(path) }
})

test('a data file that another tracker made after the look for it is used, not replaced', async () => {
  const folder = temporaryFolder()
  const path = join(folder, 'log.sqlite')
  const earlier = new SqliteLog(path)
  await earlier.follow(new Follower())
  await earlier.append(['a'])
  // From here on the entry is in the file itself, not only in its write-ahead log.
  await earlier.close()
  const first = new SqliteLog(path)
  await first.follow(new Follower())
  madeAfterTheLook.add(path)
  const second = new SqliteLog(path)
  const follower = new Follower()
  await second.follow(follower)
  expect(madeAfterTheLook.size).toBe(0)
  expect(follower.delivered).toEqual(['1 a'])
  await first.append(['b'])
  second.sync()
  expect(follower.delivered).toEqual(['1 a', '2 b'])
  expect(readdirSync(folder).filter((file) => file.endsWith('.new'))).toEqual([])
  expect(existsSync(path)).toBe(true)
  await second.close()
  await first.close()
})
