import { expect, test } from 'vitest'
import { ConnectTurns, connectsAtOnce } from '../../../src/client/downloading/connect-turns.ts'
import { RankedLimit } from '../../../src/client/downloading/ranked-limit.ts'
import { priorities } from '../../../src/client/operations.ts'
import { settled } from '../sharing/upload-requests.ts'

test('so many are done at a time, and of those that wait the first of the highest priority comes next', async () => {
  const limit = new RankedLimit(2)
  const begun: string[] = []
  const ends: (() => void)[] = []
  const work = (name: string) => () => {
    begun.push(name)
    return new Promise<void>((end) => ends.push(end))
  }
  const all = [limit.run('low', work('one')), limit.run('low', work('two'))]
  for (const name of ['a', 'b'])
    for (const each of priorities) all.push(limit.run(each, work(`${each} ${name}`)))
  await settled()
  expect(begun).toEqual(['one', 'two'])
  while (begun.length < all.length) {
    ends.shift()?.()
    await settled()
  }
  expect(begun.slice(2)).toEqual(['high a', 'high b', 'normal a', 'normal b', 'low a', 'low b'])
  for (const end of ends) end()
  await Promise.all(all)
})

test('one that fails passes its turn on', async () => {
  const limit = new RankedLimit(1)
  const failing = limit.run('high', () => Promise.reject(new Error('no')))
  const next = limit.run('low', () => Promise.resolve('done'))
  await expect(failing).rejects.toThrow('no')
  expect(await next).toBe('done')
  expect(await limit.run('low', () => Promise.resolve('again'))).toBe('again')
})

test('a low one does not wait for ever behind others that come', async () => {
  const limit = new RankedLimit(1)
  let highCount = 0
  const comeAgain = (): Promise<void> =>
    limit.run('high', async () => {
      if (++highCount < 100) void comeAgain()
    })
  void comeAgain()
  expect(await limit.run('low', async () => highCount)).toBeLessThanOrEqual(10)
})

test('a download of a higher priority opens its connections before those that wait', async () => {
  const turns = new ConnectTurns()
  const begun: string[] = []
  const ends: (() => void)[] = []
  const connect = (name: string) => () => {
    begun.push(name)
    return new Promise<void>((end) => ends.push(end))
  }
  const low = turns.of(() => 'low')
  const all = Array.from({ length: connectsAtOnce + 3 }, () => low.run(connect('low')))
  all.push(turns.of(() => 'high').run(connect('high')))
  await settled()
  expect(begun).toHaveLength(connectsAtOnce)
  ends.shift()?.()
  await settled()
  expect(begun.slice(connectsAtOnce)).toEqual(['high'])
  while (begun.length < all.length) {
    ends.shift()?.()
    await settled()
  }
  for (const end of ends) end()
  await Promise.all(all)
})
