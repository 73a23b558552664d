// Clients and trackers that others reach elsewhere than where they listen: behind a router that forwards a port.

import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { Line } from './recording-proxy.ts'
import { isSame, MiB, World } from './world.ts'

let world: World
beforeAll(async () => {
  world = await World.make()
})
afterAll(() => world.close())

/** Forwards a port to the same one of this machine. */
async function router(host: string): Promise<Line> {
  const line = await Line.open({ host })
  onTestFinished(() => line.close())
  line.options.target = { host: '127.0.0.1', port: line.port }
  return line
}

test('others fetch from a client at the address that it advertises', async () => {
  const outside = '127.0.0.7'
  const forwarded = await router(outside)
  const ben = await world.user('ben')
  const ann = await world.user('ann', { words: ['--advertise', outside], port: forwarded.port })
  await world.group('g', ann, ben)
  const path = world.makeFile('holiday.jpg', 2 * MiB)
  await ann.does(`upload_file ${path} g`)
  await ben.does(`download_file g holiday.jpg ${world.path('copy.jpg')}`)
  await ben.until('[C] [g] holiday.jpg')
  expect(isSame(path, world.path('copy.jpg'))).toBe(true)
  expect(forwarded.taken.heard.length).toBeGreaterThan(2 * MiB)
})

test('a client whose advertised name nobody has says so', async () => {
  await world.account('cem')
  const cem = world.client('cem', { words: ['--advertise', 'nobody-has-this-name.invalid'] })
  expect(await cem.say('login cem secret')).toMatch(/^error: cannot find nobody-has-this-name\.invalid:\d+: /)
})

test('a tracker prints the line for lists with the address that it advertises', async () => {
  const words = ['127.0.0.1', '0', '--data-dir', world.path('advertised'), '--tls']
  const tracker = world.run('tracker', 'tracker', [...words, '--advertise', 'tracker.example.org'])
  const [port] = /\d+$/.exec(await tracker.until(/^tracker 1 listening on /)) ?? []
  expect(await tracker.until(/^for the list/)).toMatch(
    new RegExp(`^for the list of trackers: tracker\\.example\\.org:${port} sha256:[A-Za-z0-9_-]{43}$`),
  )
})
