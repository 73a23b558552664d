// Peers that die, hang or lie, and files that change under their seeders: it costs seconds, never the
// download, and never a byte that is not the original's.

import {
  appendFileSync,
  chmodSync,
  existsSync,
  renameSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Program } from './programs.ts'
import { contentOf, isSame, MiB, World } from './world.ts'

let world: World
let ann: Program
let ben: Program
let cem: Program

const sizeBytes = 8 * MiB

beforeAll(async () => {
  world = await World.make()
  ;[ann, ben, cem] = (await world.users('ann', 'ben', 'cem')) as [Program, Program, Program]
  await world.group('g', ann, ben, cem)
})
afterAll(() => world.close())

/** The same file from two seeders, limited so that there is time for trouble. */
async function sharedByTwo(name: string, first: Program, second: Program): Promise<string> {
  const path = world.makeFile(name, sizeBytes)
  for (const seeder of [first, second]) await seeder.does('limit upload 2M')
  world.makeFolder(second.name, 'own')
  const own = world.makeFile(`${second.name}/own/${name}`, sizeBytes, name)
  await first.does(`upload_file "${path}" g`)
  await second.does(`upload_file "${own}" g`)
  return path
}

describe('peers in trouble', () => {
  test.each([
    ['dies', (peer: Program) => void peer.process.kill('SIGKILL')],
    ['hangs', (peer: Program) => peer.freeze()],
  ])('a download goes on from the others within seconds when a peer %s', async (what, trouble) => {
    const name = `${what}.bin`
    const victim = await world.user(`victim-${what}`)
    await victim.does('join_group g')
    await ann.does(`accept_request g ${victim.name}`)
    const path = await sharedByTwo(name, victim, ann)
    await cem.does(`download_file g ${name} cem-${name}`)
    await cem.askUntil(
      'show_downloads --details',
      (line) => line.includes(`${victim.name}@`) && line.includes('ann@'),
    )
    trouble(victim)
    const startedAtMs = performance.now()
    await ann.does('limit upload none')
    await cem.until(`[C] [g] ${name}`)
    expect(performance.now() - startedAtMs).toBeLessThan(8000)
    expect(isSame(path, world.path(`cem-${name}`))).toBe(true)
    await victim.kill()
  })
})

describe('a file that changes while it is shared', () => {
  test.each([
    ['grows', (path: string) => appendFileSync(path, 'more')],
    ['is cut short', (path: string) => truncateSync(path, 1000)],
    ['disappears', (path: string) => rmSync(path)],
    [
      'is rewritten with as many bytes',
      (path: string) => writeFileSync(path, contentOf('forged', sizeBytes)),
    ],
    [
      'is replaced by another',
      (path: string) => {
        writeFileSync(`${path}.new`, contentOf('forged', sizeBytes))
        renameSync(`${path}.new`, path)
      },
    ],
  ])(
    'yields no bad piece when it %s, its seeder says so, and the others give the rest',
    async (what, change) => {
      const name = `${what}.bin`
      const path = await sharedByTwo(name, ann, ben)
      const mark = ann.mark()
      await cem.does(`download_file g "${name}" "cem-${name}"`)
      await cem.askUntil('show_downloads --details', (line) => line.includes('ann@') && line.includes('ben@'))
      change(path)
      expect(await ann.until(/upload it again$|can be read$/, mark)).toMatch(
        what === 'disappears'
          ? /cannot be read \(.*\); it is shared again as soon as it can be read$/
          : what === 'is replaced by another'
            ? `${path} was removed or replaced, and is no longer shared; to share it, upload it again`
            : `${path} changed on disk; others get only its unchanged parts; to share the new version, upload it again`,
      )
      await ben.does('limit upload none')
      await cem.until(`[C] [g] ${name}`)
      expect(isSame(world.path('ben', 'own', name), world.path(`cem-${name}`))).toBe(true)
      expect(cem.lines.filter((line) => line.includes('bad piece'))).toEqual([])
      await cem.askUntil('list_files g', `${name}  ${sizeBytes} bytes  2 seeders`)
    },
  )

  test('with nobody else to ask, the download waits and no copy appears', async () => {
    const path = world.makeFile('alone.bin', sizeBytes)
    await ann.does('limit upload 2M', `upload_file "${path}" g`)
    const mark = ann.mark()
    await cem.does('download_file g alone.bin cem-alone.bin')
    await cem.askUntil('show_downloads --details', (line) => line.includes('ann@'))
    writeFileSync(path, contentOf('forged', sizeBytes))
    await ann.until(/changed on disk/, mark)
    await cem.askUntil('list_files g', `alone.bin  ${sizeBytes} bytes  0 seeders`)
    expect(await cem.ask('show_downloads')).toContain('[D] [g] alone.bin')
    expect(existsSync(world.path('cem-alone.bin'))).toBe(false)
    // The right content comes back, from whoever has it: here the seeder repairs its file.
    writeFileSync(path, contentOf('alone.bin', sizeBytes))
    await ann.does('limit upload none', `upload_file "${path}" g`)
    await cem.until('[C] [g] alone.bin')
    expect(isSame(path, world.path('cem-alone.bin'))).toBe(true)
  })

  test('while the client was away, it is not shared at the next login, and its user is told', async () => {
    const path = world.makeFile('away.bin', 1000)
    const dora = await world.user('dora')
    await dora.does('join_group g')
    await ann.does('accept_request g dora')
    await dora.does(`upload_file "${path}" g`)
    await dora.quit()
    writeFileSync(path, contentOf('forged', 1000))
    const again = await world.again('dora')
    await again.until(`away.bin is not shared in g at the moment: ${path} changed; upload it again`)
    expect(await ann.ask('list_files g')).toContain('away.bin  1000 bytes  0 seeders')
  })

  test('in nothing but its times, permissions and place, and is back where it was, is shared again', async () => {
    const path = world.makeFile('same.bin', sizeBytes)
    const eva = await world.user('eva')
    await eva.does('join_group g')
    await ann.does('accept_request g eva')
    await eva.does(`upload_file "${path}" g`)
    await eva.quit()
    utimesSync(path, 1, 1)
    chmodSync(path, 0o600)
    renameSync(path, `${path}.away`)
    renameSync(`${path}.away`, path)
    const again = await world.again('eva')
    await ann.askUntil('list_files g', `same.bin  ${sizeBytes} bytes  1 seeder`)
    await cem.does('download_file g same.bin cem-same.bin')
    await cem.until('[C] [g] same.bin')
    expect(isSame(path, world.path('cem-same.bin'))).toBe(true)
    expect(again.lines.filter((line) => line.includes('same.bin'))).toEqual([])
  })
})
