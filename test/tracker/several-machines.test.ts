// Two trackers whose log is in NATS: one community, with nothing in common but the servers.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { Failure } from '../../src/common/failure.ts'
import type { NatsAddress } from '../../src/tracker/log/nats/nats-address.ts'
import type { Tracker } from '../../src/tracker/tracker.ts'
import { freshNatsAddress, useNats } from './log/engines.ts'
import { CuttableLink } from './support/cuttable-link.ts'
import { natsIsMissing } from './support/nats-server.ts'
import { TestClient } from './support/test-client.ts'
import { runTracker, temporaryFolder } from './support/test-tracker.ts'

useNats()

const fileId = 'f'.repeat(64)

async function twoTrackers(address: NatsAddress): Promise<[Tracker, Tracker]> {
  return [await runTracker(temporaryFolder(), 1, address), await runTracker(temporaryFolder(), 2, address)]
}

/** A tracker whose link to NATS can be held. */
async function trackerOverLink(): Promise<{ tracker: Tracker; link: CuttableLink }> {
  const address = freshNatsAddress()
  const link = await CuttableLink.to(address.servers[0] ?? '')
  onTestFinished(() => link.close())
  const tracker = await runTracker(temporaryFolder(), 1, { ...address, servers: [link.address] })
  return { tracker, link }
}

async function sentenceOfStart(folder: string, nats?: NatsAddress): Promise<string> {
  try {
    await runTracker(folder, 1, nats)
    return 'started'
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    expect(error.code).toBe('data')
    return error.message
  }
}

describe.skipIf(natsIsMissing)(`trackers with their log in NATS${natsIsMissing}`, () => {
  test('what one has answered with "done" the other knows at the next request', async () => {
    const [one, two] = await twoTrackers(freshNatsAddress())
    const ann = await TestClient.loggedIn(one.address, 'ann')
    // Registered at the one, a moment ago.
    const again = await TestClient.connect(two.address, ann.identity)
    await again.hello()
    expect(await again.login('ann', 'secret')).toMatchObject({ ok: true })
    for (let count = 0; count < 20; count++) {
      const [group, name] = [`g${count}`, 'a.png']
      await ann.change('create_group', { group })
      await ann.change('share_file', { group, name, fileId, sizeBytes: 5 })
      // Refused if the share is not known there.
      const files = [{ group, name, fileId, complete: true }]
      expect(await again.request('announce', { files })).toMatchObject({ value: { refused: [] } })
    }
    expect(two.digest()).toBe(one.digest())
  })

  test('news reach clients of both trackers, each once', async () => {
    const [one, two] = await twoTrackers(freshNatsAddress())
    const ann = await TestClient.loggedIn(one.address, 'ann')
    const bob = await TestClient.loggedIn(two.address, 'bob')
    await ann.change('create_group', { group: 'g' })
    await bob.change('join_group', { group: 'g' })
    expect(await ann.hears('join_requested')).toEqual({ group: 'g', user: 'bob' })
    await ann.change('accept_request', { group: 'g', user: 'bob' })
    expect(await bob.hears('request_decided')).toEqual({ group: 'g', accepted: true })
    expect([...ann.told, ...bob.told]).toEqual([])
  })

  test('a tracker that is cut off answers reads, refuses writes, and catches up', async () => {
    const address = freshNatsAddress()
    const link = await CuttableLink.to(address.servers[0] ?? '')
    onTestFinished(() => link.close())
    const one = await runTracker(temporaryFolder(), 1, address)
    const two = await runTracker(temporaryFolder(), 2, { ...address, servers: [link.address] })
    const ann = await TestClient.loggedIn(one.address, 'ann')
    const bob = await TestClient.loggedIn(two.address, 'bob')
    await ann.change('create_group', { group: 'before' })
    await vi.waitFor(() => expect(two.digest()).toBe(one.digest()))
    link.cut()
    const groups = async (): Promise<unknown> => {
      const answer = await bob.request('list_groups', {})
      return answer.ok ? answer.value.groups.map(({ group }) => group) : answer.refusal
    }
    expect(await groups()).toEqual(['before'])
    expect(await bob.change('create_group', { group: 'lost' })).toEqual({
      ok: false,
      refusal: {
        code: 'unavailable',
        sentence: 'the tracker cannot save changes at the moment; try again later',
      },
    })
    await ann.change('create_group', { group: 'meanwhile' })
    expect(await groups()).toEqual(['before'])
    link.heal()
    await vi.waitFor(async () => expect(await groups()).toEqual(['before', 'meanwhile']), { timeout: 5000 })
    expect(await bob.change('create_group', { group: 'after' })).toMatchObject({ ok: true })
    await vi.waitFor(() => expect(two.digest()).toBe(one.digest()))
  })

  test('a log that is empty, or of another community, is not taken for the one that it was', async () => {
    const folder = temporaryFolder()
    const [first, other] = [freshNatsAddress(), freshNatsAddress()]
    await (await runTracker(folder, 1, first)).close()
    expect(await sentenceOfStart(folder, other)).toMatch(/^the log is empty, but .* belongs to /)
    await (await runTracker(temporaryFolder(), 1, other)).close()
    expect(await sentenceOfStart(folder, other)).toMatch(/^the log is that of another community, but /)
    expect(await sentenceOfStart(folder, first)).toBe('started')
  })

  test('a data folder is not used with a log elsewhere when its own log is in it, nor the other way', async () => {
    const folder = temporaryFolder()
    await (await runTracker(folder)).close()
    expect(await sentenceOfStart(folder, freshNatsAddress())).toMatch(
      / has a log of its own, which --log would /,
    )
    const elsewhere = temporaryFolder()
    await (await runTracker(elsewhere, 1, freshNatsAddress())).close()
    expect(await sentenceOfStart(elsewhere)).toMatch(/ have their log in NATS; start with --log, or /)
    expect(existsSync(join(elsewhere, 'log.sqlite'))).toBe(false)
  })

  // They were counted as connected for ever, and 600 connections without a login were let in where 256 may be.
  test('logins whose clients hang up while the log is asked leave nothing behind', async () => {
    const { tracker, link } = await trackerOverLink()
    const guests = await Promise.all(
      Array.from({ length: 40 }, async (_, index) => {
        const guest = await TestClient.connect(tracker.address)
        await guest.hello()
        await guest.register(`u${index}`, 'secret')
        return guest
      }),
    )
    let begun = 0
    let finish = (): void => undefined
    const held = new Promise<void>((resolve) => (finish = resolve))
    const logins = guests.map((guest, index) => {
      guest.beforeFinish = () => {
        begun++
        return held
      }
      return guest.login(`u${index}`, 'secret').catch(() => 'gone')
    })
    await vi.waitFor(() => expect(begun).toBe(guests.length), { timeout: 10_000 })
    link.holdAnswers()
    finish()
    await vi.waitFor(() => expect(guests.every((guest) => guest.sent('login_finish'))).toBe(true))
    // Their last requests are on their way.
    for (const guest of guests) guest.caller.close()
    expect(await Promise.all(logins)).toEqual(guests.map(() => 'gone'))
    link.release()
    const ann = await TestClient.loggedIn(tracker.address, 'ann')
    expect(await ann.request('ping', {})).toMatchObject({ ok: true })
    expect(tracker.status()).toContain('connected 1,')
  })

  test('an announce and its retraction are carried out in their order, also when the log cannot be asked', async () => {
    const { tracker, link } = await trackerOverLink()
    const ann = await TestClient.loggedIn(tracker.address, 'ann')
    await ann.change('create_group', { group: 'g' })
    const file = { group: 'g', name: 'f', fileId }
    await ann.change('share_file', { ...file, sizeBytes: 5 })
    link.holdAnswers()
    const announced = ann.request('announce', { files: [{ ...file, complete: true }] })
    const retracted = ann.request('retract', { files: [file] })
    expect([await announced, await retracted]).toMatchObject([{ ok: true }, { ok: true }])
    link.release()
    expect(await ann.request('list_files', { group: 'g' })).toMatchObject({
      value: { files: [{ seeders: 0 }] },
    })
  })
})
