// Which changes need the log: those that change something, and those that are not surely refused.

import { expect, onTestFinished, test, vi } from 'vitest'
import { Failure } from '../../../src/common/failure.ts'
import { doubtMs } from '../../../src/tracker/limits.ts'
import { MemoryLog } from '../../../src/tracker/log/memory-log.ts'
import { AnsweredHere } from '../../../src/tracker/requests/answered-here.ts'
import { change } from '../../../src/tracker/requests/changes.ts'
import type { Requester } from '../../../src/tracker/requests/requester.ts'
import type { Services } from '../../../src/tracker/requests/services.ts'
import { Sequencer } from '../../../src/tracker/sequencer.ts'
import type { Change, Register } from '../../../src/tracker/state/commands.ts'
import { register, share, type UserWish } from '../state/world.ts'

/** Its appends wait while `gate` is closed, and then fail if `isFull`. */
class GatedLog extends MemoryLog {
  gate: Promise<void> = Promise.resolve()
  isFull = false

  /** Returns what opens it again. */
  shut(): () => void {
    let open = (): void => undefined
    this.gate = new Promise((resolve) => {
      open = resolve
    })
    return open
  }

  override async append(entries: readonly string[]): Promise<void> {
    await this.gate
    if (this.isFull) throw new Failure('data', 'the disk is full')
    await super.append(entries)
  }
}

interface Asked {
  readonly id?: string
  readonly again?: boolean
}

class TestTracker {
  readonly sequencer: Sequencer
  readonly #services: Services
  #nextId = 0

  constructor(log: MemoryLog) {
    const ignore = (): void => undefined
    const events = { onApplied: ignore, onStateReplaced: ignore, onTrouble: ignore, onLost: ignore }
    this.sequencer = new Sequencer(log, events)
    const services = { sequencer: this.sequencer, answeredHere: new AnsweredHere(), nowMs: () => 0 }
    this.#services = services as unknown as Services
  }

  /** Reads the log, and introduces itself under this key. */
  async start(key: string): Promise<this> {
    await this.sequencer.start()
    await this.sequencer.submit({ kind: 'tracker_started', key, cluster: 'c', secret: 's', level: 2 })
    await this.sequencer.submit({ kind: 'raise_level', level: 2 })
    return this
  }

  get position(): number {
    return this.sequencer.position
  }

  /** "done", or the code of the refusal. */
  async ask(wish: UserWish, asked: Asked = {}): Promise<string> {
    const command = { id: `${this.position}-${this.#nextId++}`, ...wish, ...asked } as Change | Register
    const answer = await change(this.#services, command, { host: '10.0.0.1' } as Requester)
    return answer.ok ? 'done' : answer.refusal.code
  }

  async done(...wishes: UserWish[]): Promise<this> {
    for (const wish of wishes) {
      const answer = await this.ask(wish)
      if (answer !== 'done') throw new Error(`${wish.kind}: ${answer}`)
    }
    return this
  }
}

/** Ann owns g. Bob and zoe are no members. */
async function oneTracker(): Promise<{ tracker: TestTracker; log: GatedLog }> {
  const log = new GatedLog()
  const tracker = await new TestTracker(log).start('k')
  await tracker.done(register('ann'), register('bob'), register('zoe'), create('g'))
  return { tracker, log }
}

const create = (group: string, by = 'ann'): UserWish => ({ kind: 'create_group', by, group })
const join = (group: string, by = 'zoe'): UserWish => ({ kind: 'join_group', by, group })
const leave = (group: string, by = 'ann'): UserWish => ({ kind: 'leave_group', by, group })
const acceptZoe: UserWish = { kind: 'accept_request', by: 'ann', group: 'g', user: 'zoe' }
const shares = (name = 'f'): UserWish => share('ann', 'ab'.repeat(32), name)
const again = { again: true }

/** Zoe asks to join, ann lets her in as asked; what became of that is in the state. */
async function zoeJoins({ tracker }: { tracker: TestTracker }, asked: Asked): Promise<string> {
  await tracker.done(join('g'))
  return tracker.ask(acceptZoe, asked)
}

// 645 of 980 were logged.
test('a sure refusal needs no log beside changes of other groups, of the same account as well', async () => {
  const { tracker } = await oneTracker()
  const before = tracker.position
  const answers = await Promise.all(
    Array.from({ length: 1000 }, (_, index) =>
      tracker.ask(index % 50 === 0 ? create(`g${index}`) : join('nowhere', 'ann')),
    ),
  )
  expect(answers.filter((answer) => answer === 'no-such-group')).toHaveLength(980)
  expect(tracker.position - before).toBe(20)
})

test('what a change on its way could turn is decided behind it, in the order of asking', async () => {
  const { tracker, log } = await oneTracker()
  const open = log.shut()
  const answers = [
    tracker.ask(create('new')),
    tracker.ask({ ...shares(), group: 'new' } as UserWish),
    tracker.ask(join('g')),
    tracker.ask(acceptZoe),
    tracker.ask({ kind: 'remove_member', by: 'ann', group: 'g', user: 'zoe' }),
    tracker.ask(leave('new')),
    tracker.ask(create('new', 'bob')),
  ]
  open()
  expect(await Promise.all(answers)).toEqual(answers.map(() => 'done'))
})

test('what is on its way counts until the last of it has come back', async () => {
  const { tracker, log } = await oneTracker()
  const openFirst = log.shut()
  const first = tracker.ask(shares('first'))
  // Its append has begun when the next one is asked for.
  await new Promise((resolve) => setImmediate(resolve))
  const second = tracker.ask(shares('second'))
  const openSecond = log.shut()
  openFirst()
  expect(await first).toBe('done')
  const third = tracker.ask({ kind: 'unshare_file', by: 'ann', group: 'g', name: 'second' })
  openSecond()
  expect([await second, await third]).toEqual(['done', 'done'])
})

test('what an account has too much of is decided behind what it has on its way elsewhere', async () => {
  const { tracker, log } = await oneTracker()
  await tracker.sequencer.submit({ kind: 'set_quota', quota: 'groups_of_account', value: 1 })
  expect(await tracker.ask(create('more'))).toBe('over-quota')
  const before = tracker.position
  const open = log.shut()
  const answers = [tracker.ask(leave('g')), tracker.ask(create('h')), tracker.ask(create('i'))]
  await tracker.ask(join('nowhere', 'bob'))
  open()
  expect(await Promise.all(answers)).toEqual(['done', 'done', 'over-quota'])
  expect(tracker.position - before).toBe(3)
  expect(await tracker.ask(create('more'))).toBe('over-quota')
  expect(tracker.position - before).toBe(3)
})

test('an account that is over a quota is told so at once while another has something on its way', async () => {
  const { tracker, log } = await oneTracker()
  await tracker.sequencer.submit({ kind: 'set_quota', quota: 'groups_of_account', value: 1 })
  const open = log.shut()
  const others = tracker.ask(create('h', 'bob'))
  expect(await tracker.ask(create('i'))).toBe('over-quota')
  open()
  expect(await others).toBe('done')
})

// A thousand of them were logged.
test('to the only tracker a repeated change that is surely refused needs no log either', async () => {
  const { tracker } = await oneTracker()
  const before = tracker.position
  for (let count = 0; count < 100; count++)
    expect(await tracker.ask(join('nowhere'), again)).toBe('no-such-group')
  expect(tracker.position).toBe(before)
})

test('a try that comes late, by another connection, after a repetition was refused is refused as well', async () => {
  const one = await oneTracker()
  expect(await one.tracker.ask(acceptZoe, { id: 'same', ...again })).toBe('no-such-request')
  expect(await zoeJoins(one, { id: 'same' })).toBe('no-such-request')
  expect(one.tracker.sequencer.state.accounts.get('zoe')?.memberships).toBe(0)
  expect(await one.tracker.ask(acceptZoe)).toBe('done')
})

test('a share that a repetition found to be known is not shared once more by a late try', async () => {
  const { tracker } = await oneTracker()
  await tracker.done(shares())
  expect(await tracker.ask(shares(), { id: 'same', ...again })).toBe('done')
  await tracker.done({ kind: 'unshare_file', by: 'ann', group: 'g', name: 'f' })
  expect(await tracker.ask(shares(), { id: 'same' })).toBe('done')
  expect(tracker.sequencer.state.shelves.entries.count).toBe(0)
})

test('what is remembered needs no log, however often it is repeated', async () => {
  const { tracker, log } = await oneTracker()
  expect(await tracker.ask(create('h'), { id: 'same' })).toBe('done')
  const other = await new TestTracker(log).start('another')
  const before = other.position
  for (const one of [tracker, other])
    for (let count = 0; count < 10; count++)
      expect(await one.ask(create('h'), { id: 'same', ...again })).toBe('done')
  expect(other.position).toBe(before)
})

test('with several trackers a repeated change goes through the log, and a copy of another tracker has no effect', async () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  onTestFinished(() => void vi.useRealTimers())
  const { tracker, log } = await oneTracker()
  const other = await new TestTracker(log).start('another')
  await other.done(create('h', 'bob'))
  // However long it hangs.
  vi.advanceTimersByTime(10 * doubtMs)
  const before = other.position
  expect(await other.ask(acceptZoe, { id: 'same', ...again })).toBe('no-such-request')
  expect(other.position).toBe(before + 1)
  expect(await zoeJoins({ tracker }, { id: 'same' })).toBe('no-such-request')
  expect(tracker.sequencer.state.accounts.get('zoe')?.memberships).toBe(0)
})

test('after a start on an older log and after a failed append repeated changes are logged, until a minute after one works', async () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  onTestFinished(() => void vi.useRealTimers())
  const { log } = await oneTracker()
  const tracker = new TestTracker(log)
  await tracker.sequencer.start()
  const logged = async (): Promise<number> => {
    const before = tracker.position
    await tracker.ask(join('nowhere'), again)
    return tracker.position - before
  }
  vi.advanceTimersByTime(10 * doubtMs)
  expect(await logged()).toBe(1)
  vi.advanceTimersByTime(doubtMs - 1)
  expect(await logged()).toBe(1)
  vi.advanceTimersByTime(1)
  expect(await logged()).toBe(0)
  log.isFull = true
  expect(await tracker.ask(create('h'))).toBe('unavailable')
  log.isFull = false
  vi.advanceTimersByTime(10 * doubtMs)
  expect(await logged()).toBe(1)
  vi.advanceTimersByTime(doubtMs)
  expect(await logged()).toBe(0)
})
