// A second connection between the same two places, on one machine.

import type { Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { dial } from '../../../src/client/reach/dial.ts'
import { oncePlaceIsFree } from '../../../src/client/reach/free-place.ts'
import { nowhere, silence } from './two-ends.ts'

const { signal } = new AbortController()

async function dialFrom(port: number, to: Awaited<ReturnType<typeof silence>>): Promise<Socket> {
  const socket = await dial(to, { from: { host: '127.0.0.1', port }, timeoutMs: 2000, signal })
  onTestFinished(() => void socket.destroy())
  return socket
}

test('two places that are connected are connected once more as soon as they no longer are', async () => {
  const place = await silence()
  const first = await dialFrom(0, place)
  const port = first.localPort ?? 0
  let tries = 0
  const second = oncePlaceIsFree(
    () => {
      // It begins to close when the first try has failed.
      if (++tries === 2) first.destroy()
      return dialFrom(port, place)
    },
    { withinMs: 5000, signal },
  )
  expect((await second).localPort).toBe(port)
  expect(tries).toBeGreaterThan(1)
})

test('they are waited for no longer than it is said', async () => {
  const place = await silence()
  const { localPort = 0 } = await dialFrom(0, place)
  const second = oncePlaceIsFree(() => dialFrom(localPort, place), { withinMs: 100, signal })
  await expect(second).rejects.toThrow('cannot connect to')
})

test('what fails for another reason is not tried again', async () => {
  const place = await nowhere()
  let tries = 0
  const opening = oncePlaceIsFree(
    () => {
      tries++
      return dialFrom(0, place)
    },
    { withinMs: 5000, signal },
  )
  await expect(opening).rejects.toThrow('cannot connect to')
  expect(tries).toBe(1)
})
