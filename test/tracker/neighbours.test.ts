// What an honest user notices while somebody else is many, greedy, slow, or gone.

import { connect, type Socket } from 'node:net'
import { once } from 'node:events'
import { expect, onTestFinished, test } from 'vitest'
import type { Address } from '../../src/common/addresses.ts'
import { pageEntries, requestsInFlightMax } from '../../src/common/limits.ts'
import { protocolVersion } from '../../src/common/version.ts'
import { encodeLine } from '../../src/common/wire/frames.ts'
import { requestMessage } from '../../src/common/wire/messages.ts'
import { connectionLimits } from '../../src/tracker/limits.ts'
import { TestClient } from './support/test-client.ts'
import { runTracker } from './support/test-tracker.ts'

const fileId = 'ab'.repeat(32)
/** As long as a name may be. */
const longName = (index: number): string => `${String(index).padStart(5, '0')}${'x'.repeat(250)}`

/** Ann owns g and shares so many files in it. */
async function annShares(address: Address, files: number): Promise<TestClient> {
  const ann = await TestClient.loggedIn(address, 'ann')
  await ann.change('create_group', { group: 'g' })
  for (let first = 0; first < files; first += 500) {
    const names = Array.from({ length: Math.min(500, files - first) }, (_, index) => longName(first + index))
    await Promise.all(
      names.map((name) => ann.change('share_file', { group: 'g', name, fileId, sizeBytes: 1 })),
    )
  }
  return ann
}

async function member(address: Address, owner: TestClient, user: string): Promise<TestClient> {
  const client = await TestClient.loggedIn(address, user)
  await client.change('join_group', { group: 'g' })
  await owner.change('accept_request', { group: 'g', user })
  return client
}

async function raw(address: Address): Promise<Socket> {
  const socket = connect(address.port, address.host)
  onTestFinished(() => void socket.destroy())
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  return socket
}

// It was cut before the answer: a bound of 1 MiB was held against what one turn had produced.
test('a member who shares thousands of files leaves, and is answered', async () => {
  const { address } = await runTracker()
  const ann = await annShares(address, 4000)
  const bob = await member(address, ann, 'bob')
  expect(await ann.change('leave_group', { group: 'g' })).toMatchObject({ ok: true })
  for (let count = 0; count < 4000; count++) await ann.hears('file_gone')
  expect(await bob.request('list_files', { group: 'g' })).toMatchObject({ value: { files: [] } })
  expect([ann.closed, bob.closed]).toEqual([undefined, undefined])
}, 60_000)

// It was cut after 4,053 notices.
test('whoever watches thousands of files hears of each when their seeder goes', async () => {
  const { address } = await runTracker()
  const ann = await annShares(address, 5000)
  const bob = await member(address, ann, 'bob')
  for (let first = 0; first < 5000; first += 50) {
    const names = Array.from({ length: 50 }, (_, index) => longName(first + index))
    const files = names.map((name) => ({ group: 'g', name, fileId, complete: true }))
    await ann.request('announce', { files })
    await Promise.all(names.map((name) => bob.request('find_file', { group: 'g', name })))
  }
  ann.caller.close()
  for (let count = 0; count < 5000; count++)
    expect(await bob.hears('swarm_changed')).toMatchObject({ left: [ann.identity.publicKey] })
  expect(bob.closed).toBeUndefined()
}, 60_000)

// 45 were answered, 19 refused, and the connection was closed.
test('as many long listings as may be under way are all answered when they come in one write', async () => {
  const { address } = await runTracker()
  const ann = await annShares(address, pageEntries)
  const answers = await Promise.all(
    Array.from({ length: 3 * requestsInFlightMax }, () => ann.request('list_files', { group: 'g' })),
  )
  expect(answers.every((answer) => answer.ok && answer.value.files.length === pageEntries)).toBe(true)
})

// "busy", 40 of 40.
test('while one account floods on forty connections, another one is served as before', async () => {
  const { address } = await runTracker()
  const honest = await TestClient.loggedIn(address, 'honest')
  const flooders = [await TestClient.loggedIn(address, 'greedy')]
  while (flooders.length < 40) {
    const client = await TestClient.connect(address)
    await client.hello()
    await client.login('greedy', 'secret')
    flooders.push(client)
  }
  let unanswered = 0
  for (const flooder of flooders) {
    for (let count = 0; count < 500; count++) {
      unanswered++
      // Those that are closed in the end are nobody's concern.
      void flooder.change('create_group', { group: `g${unanswered}` }).then(
        () => unanswered--,
        () => unanswered--,
      )
    }
  }
  let leftAfterFirst = 0
  for (let count = 0; count < 20; count++) {
    expect(await honest.change('create_group', { group: `mine${count}` })).toMatchObject({ ok: true })
    expect(await honest.request('list_groups', {})).toMatchObject({ ok: true })
    if (count === 0) leftAfterFirst = unanswered
  }
  // Had they had to wait their turn behind the flood, none of it would have been left.
  expect(leftAfterFirst).toBeGreaterThan(10_000)
}, 60_000)

// Each was logged, and pushed what others had done out of memory.
test('changes that are surely refused, or change nothing, never reach the log', async () => {
  const tracker = await runTracker()
  const ann = await annShares(tracker.address, 1)
  const position = /log position (\d+)/.exec(tracker.status())?.[1]
  for (let count = 0; count < 100; count++) {
    expect(await ann.change('join_group', { group: 'none' })).toMatchObject({
      refusal: { code: 'no-such-group' },
    })
    expect(
      await ann.change('share_file', { group: 'g', name: longName(0), fileId, sizeBytes: 1 }),
    ).toMatchObject({
      ok: true,
    })
  }
  expect(/log position (\d+)/.exec(tracker.status())?.[1]).toBe(position)
})

// Nobody else could log in, for ever.
test('connections that never log in make room for somebody who does', async () => {
  const { address } = await runTracker()
  const hello = encodeLine(requestMessage(0, 'hello', { protocol: protocolVersion, program: 'x' }))
  const idle = await Promise.all(
    Array.from({ length: connectionLimits.unprovenOfLoopback }, async () => {
      const socket = await raw(address)
      socket.write(hello)
      await once(socket, 'data')
      return socket
    }),
  )
  await TestClient.loggedIn(address, 'ann')
  await expect.poll(() => idle.filter((socket) => socket.readyState !== 'open').length).toBe(1)
})
