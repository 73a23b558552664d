// What a person at the start hears of the trackers.

import { expect, test, vi } from 'vitest'
import { formatAddress } from '../../../src/common/addresses.ts'
import { startTrackers } from './fake-tracker.ts'
import { linkTo, standStill } from './linked.ts'

/** Nobody listens on a port that needs root. */
const nobody = { host: '127.0.0.1', port: 1 }
const here = formatAddress(nobody)

test('the tracker that answers is named, and that ends it', async () => {
  const [tracker] = await startTrackers(1)
  const { link } = linkTo([nobody, tracker!])
  const said: string[] = []
  for await (const sentence of link.firstContact(true)) said.push(sentence)
  expect(said).toEqual([`tracker ${formatAddress(tracker!.address)} answers`])
})

test('after two seconds of silence the addresses that were tried are named', async () => {
  standStill()
  const { link } = linkTo([nobody])
  const first = link.firstContact(true).next()
  await vi.advanceTimersByTimeAsync(2000)
  expect(await first).toEqual({
    done: false,
    value: `no answer from tracker ${here}; is it running? this client keeps trying`,
  })
})

test('where another sentence says the silence, only the answer is said', async () => {
  standStill()
  const { link } = linkTo([nobody])
  let isSaid = false
  void link
    .firstContact(false)
    .next()
    .then(() => (isSaid = true))
  await vi.advanceTimersByTimeAsync(60_000)
  expect(isSaid).toBe(false)
})
