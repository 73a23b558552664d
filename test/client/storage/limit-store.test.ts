// The file of the limits by the hour.

import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { LimitStore } from '../../../src/client/storage/limit-store.ts'
import { temporaryFolder } from '../temporary-folder.ts'

const rule = {
  direction: 'upload',
  bytesPerSecond: 1024,
  hours: { fromMinute: 480, toMinute: 1440 },
} as const
const silent = (): void => undefined

test('what was saved last is there in the next run, and nobody else reads it', async () => {
  const folder = temporaryFolder()
  const store = new LimitStore(folder, silent)
  expect(store.load()).toEqual([])
  const unlimited = { direction: 'download', hours: rule.hours } as const
  await Promise.all([store.save([]), store.save([rule, unlimited])])
  expect(new LimitStore(folder, silent).load()).toEqual([rule, unlimited])
  expect(statSync(join(folder, 'limits.json')).mode & 0o777).toBe(0o600)
})

test('a damaged file is named, and a folder that takes none is told', async () => {
  const folder = temporaryFolder()
  writeFileSync(
    join(folder, 'limits.json'),
    JSON.stringify({ version: 1, rules: [{ ...rule, bytesPerSecond: 0 }] }),
  )
  expect(() => new LimitStore(folder, silent).load()).toThrow(/limits\.json cannot be read; move it away/)
  const told: string[] = []
  await new LimitStore(join(folder, 'gone'), (sentence) => told.push(sentence)).save([rule])
  expect(told).toEqual([expect.stringMatching(/cannot be written: there is no such file or folder$/)])
})
