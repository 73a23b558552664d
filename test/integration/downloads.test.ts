// Downloads as a person lives with them: waiting for a seeder, several at once, paused, given up.

import { existsSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Program } from './programs.ts'
import { isSame, MiB, World } from './world.ts'

let world: World
let ann: Program
let ben: Program
let cem: Program

beforeAll(async () => {
  world = await World.make()
  ;[ann, ben, cem] = (await world.users('ann', 'ben', 'cem')) as [Program, Program, Program]
  await world.group('g', ann, ben, cem)
})
afterAll(() => world.close())

async function share(seeder: Program, name: string, sizeBytes: number): Promise<string> {
  const path = world.makeFile(name, sizeBytes)
  await seeder.does(`upload_file ${path} g`)
  return path
}

describe('a download', () => {
  test('without a seeder online says so, and begins by itself when one logs in', async () => {
    const path = await share(ann, 'later.bin', 700_000)
    await ann.does('logout')
    expect(await ben.ask('download_file g later.bin later-copy.bin')).toEqual([
      `downloading later.bin from g to ${world.path('later-copy.bin')}`,
      'nobody who has later.bin is online; the download begins as soon as somebody is',
    ])
    expect(await ben.say('show_downloads')).toBe('[D] [g] later.bin')
    await ann.does('login ann secret')
    await ben.until('[C] [g] later.bin')
    expect(isSame(path, world.path('later-copy.bin'))).toBe(true)
  })

  test('has its final name only when it is whole, and serves what it has until then', async () => {
    const path = await share(ann, 'chain.bin', 6 * MiB)
    await ann.does('limit upload 2M')
    await ben.does('download_file g chain.bin ben-chain.bin')
    await ben.askUntil('show_downloads --details', /^ {4}[2-9] of 12 pieces/)
    expect(existsSync(world.path('ben-chain.bin'))).toBe(false)
    expect(existsSync(world.path('ben-chain.bin.part'))).toBe(true)
    await cem.does('download_file g chain.bin cem-chain.bin')
    await cem.askUntil('show_downloads --details', /ben@/)
    expect(existsSync(world.path('ben-chain.bin.part'))).toBe(true)
    await Promise.all([ben, cem].map((client) => client.until('[C] [g] chain.bin')))
    await ann.does('limit upload none')
    expect(isSame(path, world.path('ben-chain.bin'))).toBe(true)
    expect(isSame(path, world.path('cem-chain.bin'))).toBe(true)
    const { all, from } = await cem.progress('chain.bin')
    expect(from.get('ben')).toBeGreaterThan(0)
    expect((from.get('ben') ?? 0) + (from.get('ann') ?? 0)).toBe(all)
    await cem.askUntil('list_files g', `chain.bin  ${6 * MiB} bytes  3 seeders`)
  })

  test('is one of several that run at once, and the prompt answers meanwhile', async () => {
    const names = ['p.bin', 'q.bin', 'r.bin', 's.bin']
    for (const name of names) await share(ann, name, 3 * MiB)
    const mark = cem.mark()
    await cem.does('limit download 2M', ...names.map((name) => `download_file g ${name} cem-${name}`))
    const shown = await cem.ask('show_downloads')
    for (const name of names) expect(shown).toContain(`[D] [g] ${name}`)
    await cem.does('limit download none')
    await Promise.all(names.map((name) => cem.until(`[C] [g] ${name}`, mark)))
    for (const name of names) expect(isSame(world.path(name), world.path(`cem-${name}`))).toBe(true)
  })

  test('asked for twice, or to where another one goes, is an error', async () => {
    await share(ann, 'twice.bin', MiB)
    await share(ann, 'other.bin', MiB)
    await cem.does('limit download 64K', 'download_file g twice.bin cem-twice.bin')
    expect(await cem.say('download_file g twice.bin elsewhere.bin')).toBe(
      'error: twice.bin from g is already being downloaded',
    )
    expect(await cem.say('download_file g other.bin cem-twice.bin')).toBe(
      `error: ${world.path('cem-twice.bin')} belongs to the running download of twice.bin from g; choose another name`,
    )
    await cem.does('limit download none')
    await cem.until('[C] [g] twice.bin')
    expect(await cem.say('download_file g other.bin cem-twice.bin')).toMatch(/exists/)
  })

  test('can be paused, resumed and cancelled, and cancelling removes its part file', async () => {
    const path = await share(ann, 'steps.bin', 4 * MiB)
    expect(await cem.say('pause_download g steps.bin')).toBe(
      'error: there is no download of steps.bin from g',
    )
    await cem.does('limit download 2M', 'download_file g steps.bin cem-steps.bin')
    await cem.askUntil('show_downloads --details', /^ {4}[2-9] of 8 pieces/)
    expect(await cem.say('pause_download g steps.bin')).toBe('paused steps.bin from g')
    expect(await cem.say('pause_download g steps.bin')).toBe('error: steps.bin from g is not running')
    expect(await cem.ask('show_downloads')).toContain('[P] [g] steps.bin')
    const paused = await cem.progress('steps.bin')
    expect(paused.done).toBeGreaterThanOrEqual(2)
    await cem.does('limit download none')
    // A round to the tracker and back: time for a piece, if one were still asked for.
    await cem.does('list_files g')
    expect((await cem.progress('steps.bin')).done).toBe(paused.done)
    expect(await cem.say('resume_download g steps.bin')).toBe('resumed steps.bin from g')
    await cem.until('[C] [g] steps.bin')
    expect(isSame(path, world.path('cem-steps.bin'))).toBe(true)
    const { from } = await cem.progress('steps.bin')
    // Those before the pause count too, and none came twice.
    expect(from.get('ann')).toBeGreaterThanOrEqual(paused.done)
    expect(from.get('ann')).toBeLessThanOrEqual(8)

    expect(await cem.say('cancel_download g steps.bin')).toMatch(/^error: .*already complete$/)
    await cem.does('limit download 1M', 'download_file g steps.bin again.bin')
    await cem.askUntil('show_downloads --details', /^ {4}[1-7] of 8 pieces/)
    expect(existsSync(world.path('again.bin.part'))).toBe(true)
    expect(await cem.say('cancel_download g steps.bin')).toBe('cancelled steps.bin from g')
    expect(existsSync(world.path('again.bin.part'))).toBe(false)
    expect(existsSync(world.path('again.bin'))).toBe(false)
    expect(await cem.say('resume_download g steps.bin')).toBe(
      'error: there is no download of steps.bin from g',
    )
    await cem.does('limit download none')
  })

  test('that is paused stays paused over a restart, until its user says to go on', async () => {
    const dora = await world.user('dora', { words: ['--download-limit', '1M'] })
    await dora.does('join_group g')
    await ann.does('accept_request g dora')
    const path = await share(ann, 'rest.bin', 4 * MiB)
    await dora.does('download_file g rest.bin dora-rest.bin')
    await dora.untilPieces(1)
    await dora.does('pause_download g rest.bin')
    await dora.quit()
    const again = await world.again('dora')
    expect(await again.say('show_downloads')).toBe('[P] [g] rest.bin')
    await again.does('resume_download g rest.bin')
    await again.until('[C] [g] rest.bin')
    expect(isSame(path, world.path('dora-rest.bin'))).toBe(true)
  })

  test('of one user on two machines at once: each gets it, also from the other', async () => {
    await world.knows('cem-elsewhere', 'cem')
    const other = world.client('cem', { dataFolder: 'cem-elsewhere' })
    await other.does('login cem secret')
    const path = await share(ann, 'both.bin', 3 * MiB)
    await ann.does('limit upload 2M')
    const mark = cem.mark()
    await cem.does('download_file g both.bin cem-both.bin')
    await other.does('download_file g both.bin other-both.bin')
    await Promise.all([cem.until('[C] [g] both.bin', mark), other.until('[C] [g] both.bin')])
    await ann.does('limit upload none')
    expect(isSame(path, world.path('cem-both.bin'))).toBe(true)
    expect(isSame(path, world.path('other-both.bin'))).toBe(true)
    await other.quit()
  })

  test('whose file is withdrawn by its last sharer fails with the reason, and the script with it', async () => {
    await share(ben, 'short-lived.bin', 2 * MiB)
    const eva = await world.user('eva', { words: ['--download-limit', '64K'] })
    await eva.does('join_group g')
    await ann.does('accept_request g eva')
    await eva.does('download_file g short-lived.bin eva-copy.bin')
    await ben.does('stop_share g short-lived.bin')
    await eva.until(/^\[F\] \[g\] short-lived\.bin - there is no file short-lived\.bin in g$/)
    eva.process.stdin.end()
    expect(await eva.ended()).toEqual({ code: 1, signal: null })
  })
})
