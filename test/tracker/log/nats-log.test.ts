// What only the NATS engine promises, against one real server: uncertain ends, truncation, what is refused.

import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { Failure } from '../../../src/common/failure.ts'
import {
  formatNatsAddress,
  parseNatsAddress,
  type NatsAddress,
} from '../../../src/tracker/log/nats/nats-address.ts'
import { NatsLog } from '../../../src/tracker/log/nats/nats-log.ts'
import { NatsSnapshots } from '../../../src/tracker/log/nats/nats-snapshots.ts'
import { natsPartBytes } from '../../../src/tracker/limits.ts'
import { administrator } from '../support/administrator.ts'
import { CuttableLink } from '../support/cuttable-link.ts'
import { freePorts } from '../../free-ports.ts'
import { natsIsMissing, startNats } from '../support/nats-server.ts'
import { temporaryFolder } from '../support/test-tracker.ts'
import { freshNatsAddress, openNats, useNats } from './engines.ts'
import { Follower } from './follower.ts'

useNats()

async function following(
  address: NatsAddress,
  entriesKept = 0,
): Promise<{ log: NatsLog; follower: Follower }> {
  const log = await openNats(address, { entriesKept })
  const follower = new Follower()
  await log.follow(follower)
  return { log, follower }
}

/** The same, with a link to the server that can be cut. */
async function followingThroughLink(
  address: NatsAddress,
): Promise<{ link: CuttableLink; log: NatsLog; follower: Follower }> {
  const link = await CuttableLink.to(address.servers[0] ?? '')
  onTestFinished(() => link.close())
  return { link, ...(await following({ ...address, servers: [link.address] })) }
}

async function failureOf(address: NatsAddress): Promise<Failure | undefined> {
  try {
    const log = await openNats(address, { startPatienceMs: 0, doubtMs: 300 })
    await log.follow(new Follower())
    return undefined
  } catch (error) {
    if (error instanceof Failure) return error
    throw error
  }
}

describe.skipIf(natsIsMissing)(`one server${natsIsMissing}`, () => {
  test('trackers that start on an empty server at the same moment share one log', async () => {
    const address = freshNatsAddress()
    const logs = await Promise.all([1, 2, 3, 4].map(() => following(address)))
    await Promise.all(logs.map(({ log }, index) => log.append([`from ${index}`])))
    for (const { log } of logs) await log.sync()
    const orders = logs.map(({ follower }) => follower.delivered)
    expect(orders[0]).toHaveLength(4)
    for (const order of orders) expect(order).toEqual(orders[0])
  })

  test('what another tracker appends is delivered without being asked for', async () => {
    const address = freshNatsAddress()
    const [one, two] = [await following(address), await following(address)]
    await one.log.append(['a'])
    await vi.waitFor(() => expect(two.follower.delivered).toEqual(['1 a']))
  })

  test('entries that nobody told about are found all the same', async () => {
    const address = freshNatsAddress()
    const { follower } = await following(address)
    const { publish } = await administrator(address)
    await publish(`${address.stream}.log`, '["quiet"]')
    await vi.waitFor(() => expect(follower.delivered).toEqual(['1 quiet']), { timeout: 5000 })
  })

  test('an append whose answer was lost is in the log once, and resolves', async () => {
    const address = freshNatsAddress()
    const { link, log, follower } = await followingThroughLink(address)
    const { manager } = await administrator(address)
    link.holdAnswers()
    const appended = log.append(['a'])
    await vi.waitFor(async () => {
      expect((await manager.streams.info(address.stream)).state.messages).toBe(1)
    })
    expect(follower.delivered).toEqual([])
    link.cut()
    link.heal()
    await appended
    await log.append(['b'])
    expect(follower.delivered).toEqual(['1 a', '2 b'])
    expect((await following(address)).follower.delivered).toEqual(['1 a', '2 b'])
  })

  test('a follower whose entries were truncated gets the snapshot instead', async () => {
    const address = freshNatsAddress()
    const slow = await openNats(address)
    const fast = await following(address)
    await fast.log.append(['a', 'b'])
    await fast.log.append(['c'])
    await fast.log.saveSnapshot(() => ({ position: 3, text: 'abc' }))
    await fast.log.append(['d'])
    const follower = new Follower()
    await slow.follow(follower)
    expect(follower.delivered).toEqual(['3 [abc]', '4 d'])
  })

  test('a running follower that was away behind a truncation gets the snapshot', async () => {
    const address = freshNatsAddress()
    const { link, log, follower } = await followingThroughLink(address)
    await log.append(['a'])
    const fast = await following(address)
    link.cut()
    await fast.log.append(['b', 'c'])
    await fast.log.saveSnapshot(() => ({ position: 3, text: 'abc' }))
    await fast.log.append(['d'])
    link.heal()
    await vi.waitFor(() => expect(follower.delivered).toEqual(['1 a', '3 [abc]', '4 d']), { timeout: 5000 })
  })

  test('entries behind a snapshot stay for a while, for trackers that are a little behind', async () => {
    const address = freshNatsAddress()
    const { log } = await following(address, 2)
    for (const text of ['a', 'b', 'c', 'd']) await log.append([text])
    await log.saveSnapshot(() => ({ position: 4, text: 'abcd' }))
    const { manager } = await administrator(address)
    const { state } = await manager.streams.info(address.stream)
    expect([state.first_seq, state.last_seq]).toEqual([3, 4])
  })

  test('a snapshot of several parts comes back whole, and older ones are removed', async () => {
    const address = freshNatsAddress()
    const { log } = await following(address)
    const text = 'ü'.repeat(natsPartBytes * 3)
    for (const position of [1, 2]) {
      await log.append(['e'])
      await log.saveSnapshot(() => ({ position, text: `${position}${text}` }))
    }
    const { manager } = await administrator(address)
    expect((await manager.streams.info(`${address.stream}_snapshots`)).state.messages).toBe(8)
    const { follower } = await following(address)
    expect(follower.delivered.map((line) => line.length)).toEqual([`2 [2${text}]`.length])
    expect(follower.delivered[0] === `2 [2${text}]`).toBe(true)
  })

  test('a snapshot that was not finished is not used, and is removed with the next', async () => {
    const address = freshNatsAddress()
    const { log } = await following(address)
    await log.append(['a'])
    const { manager, publish } = await administrator(address)
    await publish(`${address.stream}.snapshot.1.killed.0`, 'half of ')
    expect((await following(address)).follower.delivered).toEqual(['1 a'])
    await log.append(['b'])
    await log.saveSnapshot(() => ({ position: 2, text: 'ab' }))
    const info = await manager.streams.info(`${address.stream}_snapshots`, { subjects_filter: '>' })
    expect(Object.keys(info.state.subjects ?? {}).filter((subject) => subject.includes('killed'))).toEqual([])
    expect((await following(address)).follower.delivered).toEqual(['2 [ab]'])
  })

  test('a snapshot that does not match its hash is refused', async () => {
    const address = freshNatsAddress()
    const { log } = await following(address)
    await log.append(['a'])
    await log.saveSnapshot(() => ({ position: 1, text: 'a' }))
    const { manager, publish } = await administrator(address)
    const info = await manager.streams.info(`${address.stream}_snapshots`, { subjects_filter: '>' })
    const part = Object.keys(info.state.subjects ?? {}).find((subject) => subject.endsWith('.0')) ?? ''
    await publish(part, 'b')
    expect(await failureOf(address)).toMatchObject({
      code: 'data',
      message: expect.stringMatching(
        /^the snapshot in .* is damaged \(it does not match its hash\)/,
      ) as string,
    })
  })

  test('a stream of somebody else is refused and left as it is', async () => {
    const address = freshNatsAddress()
    const { manager } = await administrator(address)
    await manager.streams.add({ name: address.stream, subjects: [`${address.stream}.log`] })
    const before = (await manager.streams.info(address.stream)).config
    expect(await failureOf(address)).toMatchObject({
      code: 'data',
      message: `the stream ${address.stream} of NATS does not belong to this tracker; name another log after the servers: ${formatNatsAddress(address)}-2`,
    })
    expect((await manager.streams.info(address.stream)).config).toEqual(before)
  })

  test('a stream that was changed so that it can lose entries, or is of another format, is refused', async () => {
    const address = freshNatsAddress()
    await following(address)
    const { manager } = await administrator(address)
    await manager.streams.update(address.stream, { max_age: 3600_000_000_000 })
    expect((await failureOf(address))?.message).toMatch(
      /can lose entries: its max_age is 3600000000000, and has to be 0$/,
    )
    await manager.streams.update(address.stream, { max_age: 0, description: 'Coterie: log, format 2' })
    expect((await failureOf(address))?.message).toMatch(/has format 2, this tracker reads 1/)
  })

  test('a tracker that is cut off refuses to append soon, and has everything when the link is back', async () => {
    const address = freshNatsAddress()
    const { link, log, follower } = await followingThroughLink(address)
    const other = await following(address)
    await log.append(['a'])
    link.cut()
    const began = performance.now()
    await expect(log.append(['lost'])).rejects.toThrow(/NATS at nats:/)
    expect(performance.now() - began).toBeLessThan(4000)
    // Reads do not wait for what cannot come.
    expect(log.sync()).toBeUndefined()
    await other.log.append(['b'])
    expect(follower.delivered).toEqual(['1 a'])
    link.heal()
    await vi.waitFor(() => expect(follower.delivered).toEqual(['1 a', '2 b']), { timeout: 5000 })
    await log.append(['c'])
    await other.log.sync()
    expect(other.follower.delivered).toEqual(['1 a', '2 b', '3 c'])
  })

  test('another number of copies than the stream has is refused, with both ways out', async () => {
    const address = freshNatsAddress()
    await following(address)
    expect((await failureOf({ ...address, replicas: 3 }))?.message).toMatch(
      /is kept on 1 server, not 3; change it with "nats stream edit \S+ --replicas 3", or start with \?replicas=1$/,
    )
  })

  test('a message that no tracker wrote is the end', async () => {
    const address = freshNatsAddress()
    const { log, follower } = await following(address)
    const { publish } = await administrator(address)
    await publish(`${address.stream}.log`, 'my shopping list')
    await vi.waitFor(() => expect(follower.lost?.message).toMatch(/message 1 was not written by a tracker/), {
      timeout: 5000,
    })
    await expect(log.append(['a'])).rejects.toThrow('the log is closed')
    expect(follower.delivered).toEqual([])
  })

  // A tracker of a cluster refused to start: the snapshots' new leader did not know yet of the one that
  // stood for what had been truncated.
  test('a snapshot that is not to be seen for a moment is waited for', async () => {
    const address = freshNatsAddress()
    const { log, follower } = await following(address)
    for (const text of ['a', 'b', 'c']) await log.append([text])
    const { manager } = await administrator(address)
    await manager.streams.purge(address.stream, { seq: 3 })
    const looked = vi.spyOn(NatsSnapshots.prototype, 'newest')
    onTestFinished(() => looked.mockRestore())
    const late = new Follower()
    const lateLog = await openNats(address)
    const caughtUp = lateLog.follow(late)
    // Once at the start, and again because something is missing.
    await vi.waitFor(() => expect(looked).toHaveBeenCalledTimes(2))
    await log.saveSnapshot(() => ({ position: 3, text: follower.delivered.join() }))
    await caughtUp
    expect(late.delivered).toEqual(['3 [1 a,2 b,3 c]'])
    expect(late.lost).toBeUndefined()
  })

  test('entries that are gone without a snapshot are refused', async () => {
    const address = freshNatsAddress()
    const { log } = await following(address)
    for (const text of ['a', 'b', 'c']) await log.append([text])
    const { manager } = await administrator(address)
    await manager.streams.purge(address.stream, { seq: 3 })
    expect((await failureOf(address))?.message).toMatch(
      /entries up to message 3 are missing, and no snapshot/,
    )
  })

  test('what cannot be one message is refused before it is sent', async () => {
    const { log } = await following(freshNatsAddress())
    await expect(log.append(['x'.repeat(600 * 1024)])).rejects.toThrow('too many bytes for one append')
    await log.append(['y'])
  })
})

test('without a server the start fails with one sentence, after saying once that it waits', async () => {
  const [port = 0] = await freePorts(1)
  const waits: string[] = []
  const address = parseNatsAddress(`nats://ann:secret@127.0.0.1:${port}`)
  const opening = NatsLog.open(address, {
    startPatienceMs: 500,
    onWaiting: (sentence) => waits.push(sentence),
  })
  await expect(opening).rejects.toMatchObject({
    code: 'start',
    message: `cannot use NATS at nats://127.0.0.1:${port}/coterie: connection refused`,
  })
  expect(waits).toEqual([
    `cannot use NATS at nats://127.0.0.1:${port}/coterie: connection refused; trying again`,
  ])
})

describe.skipIf(natsIsMissing)(`a server of its own${natsIsMissing}`, () => {
  test('a server without JetStream is said to be one', async () => {
    const server = await startNats(temporaryFolder(), { hasJetStream: false })
    onTestFinished(() => server.kill())
    expect((await failureOf(parseNatsAddress(`nats://${server.address}`)))?.message).toMatch(
      /has no JetStream, or is electing a leader; start nats-server with -js$/,
    )
  })

  test('a wrong password is refused at once, and the right one is taken', async () => {
    const server = await startNats(temporaryFolder(), { words: ['--user', 'ann', '--pass', 'right'] })
    onTestFinished(() => server.kill())
    await expect(NatsLog.open(parseNatsAddress(`nats://ann:wrong@${server.address}`))).rejects.toMatchObject({
      code: 'data',
      message: `NATS refuses the user, password or token for nats://${server.address}/coterie; name the right one with --log-credentials`,
    })
    const { log } = await following(parseNatsAddress(`nats://ann:right@${server.address}`))
    await log.append(['a'])
  })

  test('after kill -9 of the server the log goes on where it was', async () => {
    const server = await startNats(temporaryFolder())
    onTestFinished(() => server.kill())
    const address = parseNatsAddress(`nats://${server.address}`)
    const { log, follower } = await following(address)
    await log.append(['a'])
    await server.kill()
    const began = performance.now()
    await expect(log.append(['lost'])).rejects.toThrow(/NATS at nats:/)
    expect(performance.now() - began).toBeLessThan(5000)
    expect(log.sync()).toBeUndefined()
    await server.start()
    await vi.waitFor(() => log.append(['b']), { timeout: 10_000 })
    expect(follower.delivered).toEqual(['1 a', '2 b'])
    expect((await following(address)).follower.delivered).toEqual(['1 a', '2 b'])
  })

  test('a stream that is gone is the end of a tracker that has read from it', async () => {
    const address = freshNatsAddress()
    const log = await openNats(address, { doubtMs: 300 })
    const follower = new Follower()
    await log.follow(follower)
    await log.append(['a'])
    const { manager } = await administrator(address)
    await manager.streams.delete(address.stream)
    await vi.waitFor(
      () => expect(follower.lost?.message).toMatch(/has lost entries \(the stream is gone\)/),
      {
        timeout: 10_000,
      },
    )
  })

  test('a server that has lost its data is noticed, and nothing is applied from it', async () => {
    const folder = temporaryFolder()
    const server = await startNats(folder)
    onTestFinished(() => server.kill())
    const address = parseNatsAddress(`nats://${server.address}`)
    const { log, follower } = await following(address)
    await log.append(['a'])
    await log.append(['b'])
    const { manager, publish } = await administrator(address)
    await manager.streams.delete('coterie')
    const other = await following(address)
    await other.log.append(['x'])
    await publish('coterie.log', '["y"]')
    // As if the connection had come back to servers that were put back to an older time.
    await server.kill()
    await server.start()
    await vi.waitFor(
      () => expect(follower.lost?.message).toMatch(/has lost entries \(message 2 is not the one/),
      {
        timeout: 10_000,
      },
    )
    expect(follower.delivered).toEqual(['1 a', '2 b'])
  })
})
