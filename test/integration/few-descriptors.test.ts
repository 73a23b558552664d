// A client may share more files than the system lets it have open.

import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Program } from './programs.ts'
import { contentOf, isSame, World } from './world.ts'
import { writeFileSync } from 'node:fs'

const fileCount = 250
const descriptors = 120

let world: World
let ann: Program
let ben: Program

beforeAll(async () => {
  world = await World.make()
  ben = await world.user('ben')
  const through = ['sh', '-c', `ulimit -n ${descriptors}; exec "$@"`, 'sh', process.execPath]
  const addresses = ['127.0.0.1', '0', '127.0.0.1', String(world.trackerPort)]
  ann = world.run('ann', 'client', [...addresses, '--data-dir', world.path('ann')], { through })
  await world.account('ann')
  await ann.does('login ann secret')
  await world.group('g', ann, ben)
  world.makeFolder('out')
})
afterAll(() => world.close())

test.skipIf(process.platform === 'win32')(
  `${fileCount} files come from a client that may open ${descriptors}, and it shares more meanwhile`,
  async () => {
    const names = Array.from({ length: fileCount }, (_, index) => `f${index}`)
    for (const name of names) writeFileSync(world.path(name), contentOf(name, 2000))
    ann.write(...names.map((name) => `upload_file ${world.path(name)} g`))
    await ann.until(`sharing f${fileCount - 1} in g (2000 bytes, 1 piece)`)
    ben.write(...names.map((name) => `download_file g ${name} ${world.path('out')}`))
    for (const name of names) await ben.until(`[C] [g] ${name}`)
    for (const name of names) expect(isSame(world.path(name), world.path('out', name))).toBe(true)
    const another = world.makeFile('another', 5000)
    expect(await ann.say(`upload_file ${another} g`)).toBe('sharing another in g (5000 bytes, 1 piece)')
    expect(ann.lines.filter((line) => line.startsWith('error:'))).toEqual([])
  },
)
