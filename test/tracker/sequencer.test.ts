// The order of things: append, durable, delivered, applied, answered.

import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { Failure } from '../../src/common/failure.ts'
import { encodeEntry } from '../../src/tracker/entry.ts'
import type { CommandLog, Kept, LogFollower, SnapshotToKeep } from '../../src/tracker/log/command-log.ts'
import { MemoryLog } from '../../src/tracker/log/memory-log.ts'
import { SqliteLog } from '../../src/tracker/log/sqlite-log.ts'
import { Sequencer, type SequencerOptions } from '../../src/tracker/sequencer.ts'
import type { Command } from '../../src/tracker/state/commands.ts'
import type { Effect } from '../../src/tracker/state/effects.ts'
import { digestOf } from '../../src/tracker/state/sections.ts'
import { credentials } from './state/world.ts'
import { temporaryFolder } from './support/test-tracker.ts'

/** A log that does nothing by itself: the test says when an append is durable, delivered, or has failed. */
class HandLog implements CommandLog {
  readonly appends: { entries: readonly string[]; done: () => void; fail: (failure: Failure) => void }[] = []
  #follower: LogFollower | undefined
  #position = 0
  #onAppend: (() => void) | undefined

  follow(follower: LogFollower): Promise<void> {
    this.#follower = follower
    return Promise.resolve()
  }

  append(entries: readonly string[]): Promise<void> {
    return new Promise((done, fail) => {
      this.appends.push({ entries, done, fail })
      this.#onAppend?.()
    })
  }

  deliver(entries: readonly string[]): void {
    for (const text of entries) this.#follower?.onEntry(++this.#position, text)
  }

  async appended(count: number): Promise<void> {
    while (this.appends.length < count) {
      await new Promise<void>((resolve) => {
        this.#onAppend = resolve
      })
    }
  }

  readonly isCurrent = true

  sync(): undefined {}

  saveSnapshot(): Promise<void> {
    return Promise.resolve()
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}

interface Running {
  readonly sequencer: Sequencer
  readonly effects: Effect[]
  readonly troubles: string[]
  readonly losses: Failure[]
  /** Positions of those that were taken. */
  readonly snapshots: number[]
}

async function run(log: CommandLog, options?: SequencerOptions): Promise<Running> {
  const effects: Effect[] = []
  const troubles: string[] = []
  const snapshots: number[] = []
  const losses: Failure[] = []
  const sequencer = new Sequencer(
    log,
    {
      onApplied: (entry) => effects.push(...entry.effects),
      onStateReplaced: () => undefined,
      onSnapshotTaken: (position) => snapshots.push(position),
      onTrouble: (sentence) => troubles.push(sentence),
      onLost: (failure) => losses.push(failure),
    },
    options,
  )
  await sequencer.start()
  return { sequencer, effects, troubles, losses, snapshots }
}

let nextId = 0
const registering = (user: string, salt = credentials.salt): Command => ({
  kind: 'register',
  id: `id-${nextId++}`,
  user,
  credentials: { ...credentials, salt },
})
const creating = (group: string, by = 'ann'): Command => ({
  kind: 'create_group',
  id: `id-${nextId++}`,
  by,
  group,
})

/** Everything that is due in this and the next turns of the event loop has run. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
}

test('an answer comes when the command is delivered, never before', async () => {
  const log = new HandLog()
  const { sequencer } = await run(log)
  const answered: string[] = []
  void sequencer.submit(registering('ann')).then(() => answered.push('ann'))
  await log.appended(1)
  await turns()
  expect(answered).toEqual([])
  expect(sequencer.state.accounts.size).toBe(0)
  log.deliver(log.appends[0]?.entries ?? [])
  await turns()
  expect(answered).toEqual(['ann'])
  expect(sequencer.state.accounts.has('ann')).toBe(true)
})

test('commands of one turn share one append; those that come meanwhile share the next, in order', async () => {
  const log = new HandLog()
  const { sequencer } = await run(log)
  const submit = (...users: string[]) => users.map((user) => sequencer.submit(registering(user)))
  const first = submit('a', 'b', 'c')
  await log.appended(1)
  const second = submit('d', 'e')
  await turns()
  expect(log.appends.map((append) => append.entries.length)).toEqual([3])
  log.deliver(log.appends[0]?.entries ?? [])
  log.appends[0]?.done()
  await Promise.all(first)
  await log.appended(2)
  expect(log.appends.map((append) => append.entries.length)).toEqual([3, 2])
  log.deliver(log.appends[1]?.entries ?? [])
  await Promise.all(second)
  expect([...sequencer.state.accounts.keys()]).toEqual(['a', 'b', 'c', 'd', 'e'])
})

test('an append takes as many commands as its bytes allow, and the rest waits for the next, in order', async () => {
  const log = new HandLog()
  const { sequencer } = await run(log)
  const users = ['a', 'b', 'c', 'd', 'e']
  const all = users.map((user) => sequencer.submit(registering(user, 'x'.repeat(100_000))))
  for (const [index, count] of [2, 2, 1].entries()) {
    await log.appended(index + 1)
    expect(log.appends[index]?.entries).toHaveLength(count)
    log.deliver(log.appends[index]?.entries ?? [])
    log.appends[index]?.done()
  }
  await Promise.all(all)
  expect([...sequencer.state.accounts.keys()]).toEqual(users)
  // One that is greater by itself is not held back for ever.
  const great = sequencer.submit(registering('f', 'y'.repeat(300_000)))
  await log.appended(4)
  log.deliver(log.appends[3]?.entries ?? [])
  expect(await great).toMatchObject({ ok: true })
})

test('a failed append is answered with "unavailable", changes nothing, and the next one works', async () => {
  const log = new HandLog()
  const { sequencer, troubles, losses } = await run(log)
  const failed = sequencer.submit(registering('ann'))
  await log.appended(1)
  log.appends[0]?.fail(new Failure('data', 'the disk is full'))
  expect(await failed).toMatchObject({ reason: 'cannot-save' })
  expect(sequencer.state.accounts.size).toBe(0)
  const next = sequencer.submit(registering('bob'))
  await log.appended(2)
  log.deliver(log.appends[1]?.entries ?? [])
  expect(await next).toMatchObject({ ok: true })
  expect(troubles).toEqual(['the disk is full'])
  expect(losses).toEqual([])
})

test('an entry that was reported as failed and turns up all the same is applied once; the retry hears so', async () => {
  const log = new HandLog()
  const { sequencer } = await run(log)
  const command = registering('ann')
  const failed = sequencer.submit(command)
  await log.appended(1)
  log.appends[0]?.fail(new Failure('data', 'no answer'))
  expect(await failed).toMatchObject({ reason: 'cannot-save' })
  const retry = sequencer.submit(command)
  await log.appended(2)
  log.deliver([...(log.appends[0]?.entries ?? []), ...(log.appends[1]?.entries ?? [])])
  expect(await retry).toEqual({ ok: true, value: {} })
  expect(sequencer.position).toBe(2)
})

test('effects come from the log, so those of another tracker are seen here too', async () => {
  const log = new MemoryLog()
  const one = await run(log)
  const two = await run(log)
  await one.sequencer.submit(registering('ann'))
  await one.sequencer.submit(registering('bob'))
  await one.sequencer.submit(creating('g'))
  await one.sequencer.submit({ kind: 'join_group', id: 'x', by: 'bob', group: 'g' })
  const requested = { kind: 'join_requested', group: 'g', user: 'bob', owner: 'ann' }
  expect([one.effects, two.effects]).toEqual([[requested], [requested]])
  expect(digestOf(two.sequencer.state)).toBe(digestOf(one.sequencer.state))
})

test('a command repeated at another tracker has the outcome of the first', async () => {
  const log = new MemoryLog()
  const one = await run(log)
  const two = await run(log)
  await one.sequencer.submit(registering('ann'))
  const create = creating('g')
  expect(await one.sequencer.submit(create)).toMatchObject({ ok: true })
  expect(await two.sequencer.submit(create)).toMatchObject({ ok: true })
  expect(await two.sequencer.submit(creating('g'))).toMatchObject({ reason: 'group-taken' })
})

test('a snapshot is taken every so many commands, and a start from it gives the same state', async () => {
  const snapshots: SnapshotToKeep[] = []
  class Watched extends MemoryLog {
    override saveSnapshot(take: (kept: Kept) => SnapshotToKeep | undefined): Promise<void> {
      return super.saveSnapshot((kept) => {
        const snapshot = take(kept)
        if (snapshot !== undefined) snapshots.push(snapshot)
        return snapshot
      })
    }
  }
  const log = new Watched()
  const { sequencer, snapshots: told } = await run(log, { commandsPerSnapshot: 10 })
  for (let count = 0; count < 25; count++) await sequencer.submit(registering(`u${count}`))
  expect(snapshots.map((snapshot) => snapshot.position)).toEqual([10, 20])
  expect(told).toEqual([10, 20])
  const again = await run(log)
  expect(again.sequencer.position).toBe(25)
  expect(digestOf(again.sequencer.state)).toBe(digestOf(sequencer.state))
})

test('a snapshot that cannot be written is tried again after a tenth of the usual commands', async () => {
  const tried: number[] = []
  class Failing extends MemoryLog {
    override saveSnapshot(take: (kept: Kept) => SnapshotToKeep | undefined): Promise<void> {
      tried.push(take({ position: 0, ofSections: 0 })?.position ?? 0)
      return Promise.reject(new Failure('data', 'the disk is full'))
    }
  }
  const { sequencer, troubles } = await run(new Failing(), { commandsPerSnapshot: 20 })
  for (let count = 0; count < 25; count++) await sequencer.submit(registering(`u${count}`))
  expect(tried).toEqual([20, 22, 24])
  expect(troubles).toEqual(tried.map(() => 'the disk is full'))
})

test('an entry that cannot be read is the end: nothing is applied after it, nobody is told "done"', async () => {
  const log = new HandLog()
  const { sequencer, losses } = await run(log)
  const waiting = sequencer.submit(registering('ann'))
  await log.appended(1)
  log.deliver([
    '{"origin":"x","number":0,"command":{"kind":"from the future"}}',
    ...(log.appends[0]?.entries ?? []),
  ])
  expect(await waiting).toMatchObject({ reason: 'cannot-save' })
  expect(losses.map((failure) => failure.message)).toEqual([
    'entry 1 of the log is from a newer version of the tracker; update this one',
  ])
  expect(await sequencer.submit(registering('bob'))).toMatchObject({ reason: 'cannot-save' })
  expect([sequencer.position, sequencer.state.accounts.size]).toEqual([0, 0])
})

test('stopping answers every command that was submitted before', async () => {
  const { sequencer } = await run(new MemoryLog())
  const answers = Promise.all(['a', 'b'].map((user) => sequencer.submit(registering(user))))
  await sequencer.stop()
  expect(await answers).toEqual([
    { ok: true, value: {} },
    { ok: true, value: {} },
  ])
  expect(await sequencer.submit(registering('c'))).toMatchObject({ reason: 'cannot-save' })
})

test('stopping waits for the append that is under way', async () => {
  const log = new HandLog()
  const { sequencer } = await run(log)
  const order: string[] = []
  const answer = sequencer.submit(registering('ann')).then(() => order.push('answered'))
  await log.appended(1)
  const stopped = sequencer.stop().then(() => order.push('stopped'))
  await turns()
  log.deliver(log.appends[0]?.entries ?? [])
  log.appends[0]?.done()
  await Promise.all([answer, stopped])
  expect(order).toEqual(['answered', 'stopped'])
})

test('two trackers on one file agree, and a read at one sees at once what was done at the other', async () => {
  const path = join(temporaryFolder(), 'log.sqlite')
  const logs = [new SqliteLog(path), new SqliteLog(path)]
  onTestFinished(async () => {
    for (const log of logs) await log.close()
  })
  const [one, two] = [await run(logs[0] as SqliteLog), await run(logs[1] as SqliteLog)]
  await one.sequencer.submit(registering('ann'))
  expect(two.sequencer.sync()).toBeUndefined()
  expect(two.sequencer.state.accounts.has('ann')).toBe(true)
  const creations = Array.from({ length: 50 }, (_, index) =>
    (index % 2 === 0 ? one : two).sequencer.submit(creating(`g${index % 30}`)),
  )
  const outcomes = await Promise.all(creations)
  expect(outcomes.filter((outcome) => outcome.ok)).toHaveLength(30)
  for (const { sequencer } of [one, two]) void sequencer.sync()
  expect(digestOf(two.sequencer.state)).toBe(digestOf(one.sequencer.state))
})

// A look at the log served a whole turn: what another tracker acknowledged later in it was refused as not there
// (crash:tracker, "no-such-group").
test('one look at the log serves what came before it, and what comes later in the same turn looks again', async () => {
  const path = join(temporaryFolder(), 'log.sqlite')
  const [one, other] = [new SqliteLog(path), new SqliteLog(path)]
  onTestFinished(async () => {
    for (const log of [one, other]) await log.close()
  })
  const { sequencer } = await run(one)
  await run(other)
  const looks = vi.spyOn(one, 'sync')
  const cameAtMs = performance.now()
  void sequencer.sync()
  void sequencer.sync(cameAtMs)
  expect(looks).toHaveBeenCalledTimes(1)
  const command = { ...registering('ann'), id: 'of another tracker' }
  const appended = other.append([
    encodeEntry({ origin: 'other', number: 0, atMs: 0, from: undefined, command }),
  ])
  expect(sequencer.sync()).toBeUndefined()
  expect(sequencer.state.accounts.has('ann')).toBe(true)
  await appended
})

/** Seems to have lost its newest snapshots while it forgets. */
class Forgetful extends MemoryLog {
  forgets = false
  readonly asked: (SnapshotToKeep | undefined)[] = []
  override saveSnapshot(take: (kept: Kept) => SnapshotToKeep | undefined): Promise<void> {
    return super.saveSnapshot((kept) => {
      const seen = this.forgets ? { position: 1, ofSections: 1 } : kept
      const snapshot = take(seen)
      this.asked.push(snapshot)
      return snapshot
    })
  }
}

// The snapshots of NATS have a leader of their own, which may know less for a moment.
test('a log that seems to have lost its last snapshot gets none that builds on an older one', async () => {
  const log = new Forgetful()
  const { sequencer } = await run(log, { commandsPerSnapshot: 10 })
  await sequencer.submit({ kind: 'tracker_started', key: 'k', cluster: 'c', secret: 's', level: 2 })
  await sequencer.submit({ kind: 'raise_level', level: 2 })
  for (let count = 0; count < 10; count++) await sequencer.submit(registering(`u${count}`))
  log.forgets = true
  for (let count = 10; count < 25; count++) await sequencer.submit(registering(`u${count}`))
  log.forgets = false
  for (let count = 25; count < 40; count++) await sequencer.submit(registering(`u${count}`))
  const taken = log.asked.map((snapshot) => snapshot?.position)
  expect(taken).toContain(undefined)
  // As soon as the log knows it again, and not only when the next one would be due.
  expect(taken.filter((position) => position !== undefined)).toEqual([10, 27, 37])
  const again = await run(log)
  expect(digestOf(again.sequencer.state)).toBe(digestOf(sequencer.state))
})

// Servers that were killed in turn came back with what they had minutes before (crash:cluster): no tracker that ran could
// save anything more, and none that started could begin.
test('a log that has lost its last snapshots for good gets a whole one', async () => {
  const log = new Forgetful()
  const { sequencer } = await run(log, { commandsPerSnapshot: 10, lossBelievedMs: 0 })
  await sequencer.submit({ kind: 'tracker_started', key: 'k', cluster: 'c', secret: 's', level: 2 })
  await sequencer.submit({ kind: 'raise_level', level: 2 })
  for (let count = 0; count < 10; count++) await sequencer.submit(registering(`u${count}`))
  log.forgets = true
  for (let count = 10; count < 20; count++) await sequencer.submit(registering(`u${count}`))
  expect(log.asked.map((snapshot) => snapshot?.position)).toEqual([10, 20])
  const [, whole] = log.asked
  expect(whole).toMatchObject({ isWhole: true })
  const again = await run(log)
  expect(digestOf(again.sequencer.state)).toBe(digestOf(sequencer.state))
})
