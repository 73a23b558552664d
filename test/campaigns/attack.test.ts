// A short version of the attacks that need no time to be measured: each has a few tries and gets nothing. Also that the
// search of a listener finds what is there.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { contentOf } from '../integration/world.ts'
import { attacks } from './attack/attacks.ts'
import { Findings } from './attack/battle.ts'
import { Place } from './attack/place.ts'
import { RunsOf } from './attack/runs-of.ts'

let place: Place
beforeAll(async () => {
  place = new Place()
  await place.start()
})
afterAll(() => place.close())

const cheap = [
  'the messages of a login once more',
  'a login with a session once more',
  'a ticket and its proof once more',
  'the encrypted bytes once more',
  'a stolen ticket, without its key',
  'a ticket on another connection',
  'a ticket for a file of another group',
  'a member who is removed in the middle of a download',
  'all that goes over the lines is recorded and searched',
  'a relay with its own key between two clients',
  'guesses at links',
  'a link that was taken back, once more',
  'a guest who asks for all ranges at once',
  'requests of guests without end, or to be read in two ways',
  'nonsense and old handshakes in place of a guest',
]

test.each(cheap)('%s: it gets nothing, in the real programs', async (name) => {
  const attack = attacks.find((each) => each.name === name)
  const findings = new Findings()
  let isFirst = true
  const goesOn = (): boolean => {
    const isNext = isFirst
    isFirst = false
    return isNext
  }
  await attack?.run({ scene: place.scene, findings, over: Promise.resolve(), goesOn, begun: () => undefined })
  expect(findings.outcome).toMatchObject({ tried: expect.toSatisfy((count: number) => count > 0), got: [] })
  expect(place.damages()).toEqual([])
})

test('16 bytes of a file are found at any place, and bytes of another file are not', () => {
  const file = contentOf('file', 200_000)
  const runs = new RunsOf(file)
  const other = contentOf('other', 500_000)
  expect(runs.countIn(other)).toBe(0)
  for (const at of [0, 1, 15, 12_345, file.length - 16]) {
    expect(runs.countIn(Buffer.concat([other, file.subarray(at, at + 16), other]))).toBe(1)
    expect(runs.countIn(Buffer.concat([other, file.subarray(at, at + 15), other]))).toBe(0)
  }
})
