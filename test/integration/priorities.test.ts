// Which downloads go first: the one of a higher priority has most of what a limit gives, whoever has set it.

import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { Program } from './programs.ts'
import { isSame, MiB, World } from './world.ts'

let world: World
beforeAll(async () => {
  world = await World.make()
})
afterAll(() => world.close())

/** Two files of this size in a group of the two users. */
async function share(group: string, from: Program, to: Program, sizeBytes: number): Promise<void> {
  await world.group(group, from, to)
  for (const name of ['urgent', 'later'])
    await from.does(`upload_file ${world.makeFile(`${group}-${name}`, sizeBytes)} ${group}`)
}

/** Begins both; the high one receives when the low one comes. */
async function begin(group: string, client: Program): Promise<void> {
  await client.does('limit download 1M')
  const fetch = (name: string) =>
    `download_file ${group} ${group}-${name} ${world.path(`got-${group}-${name}`)}`
  await client.does(fetch('urgent'), `prioritize ${group} ${group}-urgent high`)
  await client.untilPieces(1)
  await client.does(fetch('later'), `prioritize ${group} ${group}-later low`)
}

test.each(['own download limit', 'upload limit of the sender'])(
  'under an %s the high one gets most, and the low one gets on',
  async (whose) => {
    const isOwn = whose === 'own download limit'
    const group = isOwn ? 'own' : 'theirs'
    const [from, to] = await world.users(`${group}-ann`, `${group}-ben`)
    if (from === undefined || to === undefined) throw new Error('two users')
    await share(group, from, to, 40 * MiB)
    if (!isOwn) await from.does('limit upload 8M')
    await begin(group, to)
    await to.does(`limit download ${isOwn ? '8M' : 'none'}`)
    const [low] = await vi.waitFor(
      async () => {
        const both = [await to.progress(`${group}-later`), await to.progress(`${group}-urgent`)] as const
        expect(both[1].done).toBeGreaterThan(30)
        return both
      },
      { timeout: 20_000 },
    )
    expect(low.done).toBeGreaterThanOrEqual(1)
    expect(low.done).toBeLessThan(10)
    await to.does('limit download none')
    await from.does('limit upload none')
    for (const name of ['urgent', 'later']) {
      await to.until(`[C] [${group}] ${group}-${name}`)
      expect(isSame(world.path(`${group}-${name}`), world.path(`got-${group}-${name}`))).toBe(true)
    }
  },
)

test('a priority outlives the client, is seen, and is what why names', async () => {
  const [cem, dan] = await world.users('cem', 'dan')
  if (cem === undefined || dan === undefined) throw new Error('two users')
  await share('g', cem, dan, 16 * MiB)
  await begin('g', dan)
  // So that both still run for some seconds.
  await cem.does('limit upload 512K')
  await dan.quit()
  const again = await world.again('dan')
  expect(await again.ask('prioritize g g-later')).toEqual(['g-later from g has low priority'])
  const terminal = world.client('dan')
  expect(await terminal.ask('prioritize g g-urgent')).toEqual(['g-urgent from g has high priority'])
  await terminal.quit()
  const why = 'goes-behind  g-urgent from g has a higher priority, and goes first'
  await again.askUntil('why g g-later', why)
  expect(await again.ask('show_downloads --details')).toContainEqual(expect.stringMatching(/, low priority/))
  expect(await again.say('prioritize g nothing high')).toBe('error: there is no download of nothing from g')
  await cem.does('limit upload none')
  for (const name of ['urgent', 'later']) await again.until(`[C] [g] g-${name}`)
  expect(await again.say('prioritize g g-later high')).toBe('error: g-later from g is complete')
})
