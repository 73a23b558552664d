// What every engine of the log promises.

import { describe, expect, test } from 'vitest'
import type { CommandLog } from '../../../src/tracker/log/command-log.ts'
import { engines, useNats } from './engines.ts'
import { Follower } from './follower.ts'

useNats()

/** Everything that was acknowledged anywhere has been delivered. */
async function current(...logs: readonly CommandLog[]): Promise<void> {
  for (const log of logs) await log.sync()
}

describe.each(engines)('log in $name', ({ make, isMissing }) => {
  test.skipIf(isMissing)('entries are delivered once, in order, with positions from 1 on', async () => {
    const log = await make()()
    const follower = new Follower()
    await log.follow(follower)
    await Promise.all([log.append(['a', 'b']), log.append(['c'])])
    await log.append(['d'])
    expect(follower.delivered).toEqual(['1 a', '2 b', '3 c', '4 d'])
  })

  test.skipIf(isMissing)('a later follower gets everything from the start', async () => {
    const open = make()
    const first = await open()
    await first.follow(new Follower())
    await first.append(['a', 'b'])
    const follower = new Follower()
    await (await open()).follow(follower)
    expect(follower.delivered).toEqual(['1 a', '2 b'])
  })

  test.skipIf(isMissing)('an entry comes back to the letter', async () => {
    const open = make()
    const first = await open()
    const follower = new Follower()
    await first.follow(follower)
    const texts = ['"\\"\n\t', 'ünïcode \u{1f600} \u2028', '{"a":[1,"\\u0000"]}', 'x'.repeat(65_536)]
    await first.append(texts)
    const later = new Follower()
    await (await open()).follow(later)
    const expected = texts.map((text, index) => `${index + 1} ${text}`)
    expect(follower.delivered).toEqual(expected)
    expect(later.delivered).toEqual(expected)
  })

  test.skipIf(isMissing)('a snapshot stands for the entries up to its position', async () => {
    const open = make()
    const first = await open()
    await first.follow(new Follower())
    await first.append(['a', 'b'])
    await first.saveSnapshot(() => ({ position: 2, text: 'ab' }))
    await first.append(['c'])
    const follower = new Follower()
    await (await open()).follow(follower)
    expect(follower.delivered).toEqual(['2 [ab]', '3 c'])
  })

  test.skipIf(isMissing)('positions count on behind the last of several snapshots', async () => {
    const open = make()
    const first = await open()
    await first.follow(new Follower())
    for (const [position, text] of [
      [1, 'a'],
      [2, 'ab'],
      [3, 'abc'],
    ] as const) {
      await first.append([text.slice(-1)])
      await first.saveSnapshot(() => ({ position, text }))
    }
    const [second, follower] = [await open(), new Follower()]
    await second.follow(follower)
    await second.append(['d'])
    expect(follower.delivered).toEqual(['3 [abc]', '4 d'])
  })

  test.skipIf(isMissing)('two followers see the entries of both in one order', async () => {
    const open = make()
    const logs = [await open(), await open()]
    const followers = [new Follower(), new Follower()]
    await Promise.all(logs.map((log, index) => log.follow(followers[index] as Follower)))
    for (let round = 0; round < 20; round++) await logs[round % 2]?.append([`r${round}`])
    await current(...logs)
    const expected = Array.from({ length: 20 }, (_, round) => `${round + 1} r${round}`)
    for (const follower of followers) expect(follower.delivered).toEqual(expected)
  })

  test.skipIf(isMissing)(
    'entries of two that append at the same moment are in one order for both',
    async () => {
      const open = make()
      const logs = [await open(), await open()]
      const followers = [new Follower(), new Follower()]
      await Promise.all(logs.map((log, index) => log.follow(followers[index] as Follower)))
      await Promise.all(
        logs.flatMap((log, index) =>
          Array.from({ length: 50 }, (_, count) => log.append([`${index}-${count}`, `${index}-${count}+`])),
        ),
      )
      await current(...logs)
      const [one = [], other = []] = followers.map((follower) => follower.delivered)
      expect(other).toEqual(one)
      expect(one.map((line) => Number(line.split(' ')[0]))).toEqual(
        Array.from({ length: 200 }, (_, at) => at + 1),
      )
      // Entries of one append stay together.
      for (let at = 0; at < one.length; at += 2)
        expect(one[at + 1]?.split(' ')[1]).toBe(`${one[at]?.split(' ')[1]}+`)
    },
  )

  test.skipIf(isMissing)(
    'what was acknowledged at one is known at the other, when that is current',
    async () => {
      const open = make()
      const logs = [await open(), await open()] as const
      const followers = [new Follower(), new Follower()] as const
      await logs[0].follow(followers[0])
      await logs[1].follow(followers[1])
      for (let count = 1; count <= 30; count++) {
        await logs[0].append([`e${count}`])
        await current(logs[1])
        expect(followers[1].delivered.at(-1)).toBe(`${count} e${count}`)
      }
    },
  )
})
