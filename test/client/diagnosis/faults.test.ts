// Makes every kind of fault between real clients and trackers, and asks why: the first thing that is named has to be the
// fault, within five seconds.

import { rmSync, writeFileSync } from 'node:fs'
import { expect, test, vi } from 'vitest'
import type { WhyCode } from '../../../src/client/diagnosis/reasons.ts'
import { PartFile } from '../../../src/client/downloading/part-file.ts'
import { TicketOffice } from '../../../src/client/sharing/ticket-office.ts'
import { TrackerConnection } from '../../../src/client/tracker-link/tracker-connection.ts'
import { Failure } from '../../../src/common/failure.ts'
import { refuse, type RefusalCode } from '../../../src/common/refusal.ts'
import { freePorts } from '../../free-ports.ts'
import { expectOk, type Member } from '../sharing/two-sharers.ts'
import { runTracker } from '../../tracker/support/test-tracker.ts'
import { FakeTracker } from '../tracker-link/fake-tracker.ts'
import { Place, silentServer, slowLine } from './place.ts'

interface Stage {
  readonly place: Place
  /** Owns the group `g`. */
  readonly ann: Member
  /** Is in it, and fetches. */
  readonly ben: Member
}

/** What is named first, with what is said about it. */
type Ask = () => Promise<string>

interface Fault {
  readonly what: string
  readonly named: WhyCode | `doctor: ${string}`
  /** In the sentence. */
  readonly says?: RegExp
  /** Makes the fault; the result asks about it. */
  readonly make: (stage: Stage) => Promise<Ask>
}

const withinMs = 5000

/** `code: sentence` of the first finding. */
function asking({ place }: Stage, member: Member, group: string, name?: string): Ask {
  return async () => {
    const [first] = await place.why(member, group, name)
    return `${first?.code}: ${first?.sentence} ${first?.addresses?.join(' ') ?? ''}`
  }
}

function consulting({ place }: Stage, member: Member): Ask {
  return async () => `doctor: ${(await place.troubles(member)).join()}:`
}

/** Ben fetches what another client of Ann's shares, which is made like this. */
async function fetched(stage: Stage, name: string, options: Parameters<Place['member']>[1]): Promise<Ask> {
  const { place, ben } = stage
  const eve = await place.member('ann', options)
  await place.shares(eve, 'g', name)
  await place.fetches(ben, 'g', name)
  return asking(stage, ben, 'g', name)
}

function systemError(code: string): Failure {
  return new Failure('file', 'cannot write it', Object.assign(new Error(code), { code }))
}

function refusingTickets(code: RefusalCode): (stage: Stage) => Promise<Ask> {
  return async (stage) => {
    vi.spyOn(TicketOffice.prototype, 'admit').mockReturnValue(refuse(code, 'no'))
    return fetched(stage, `${code}.bin`, {})
  }
}

const atTheSeeder: readonly Fault[] = [
  {
    what: 'a seeder that is gone before anybody came',
    named: 'no-seeder',
    says: /who was the last is not known/,
    async make(stage) {
      const { place, ben } = stage
      const eve = await place.member('ann')
      await place.shares(eve, 'g', 'gone.bin')
      await eve.client.close()
      await ben.lists('g', 'gone.bin', 0)
      await place.fetches(ben, 'g', 'gone.bin')
      return asking(stage, ben, 'g', 'gone.bin')
    },
  },
  {
    what: 'a seeder that leaves',
    named: 'no-seeder',
    says: /the last was ann, \d+ s ago/,
    async make(stage) {
      const { place, ben } = stage
      const eve = await place.member('ann', { uploadLimit: 300_000 })
      await place.shares(eve, 'g', 'leaves.bin')
      await place.fetches(ben, 'g', 'leaves.bin')
      await place.receives(ben, 'leaves.bin')
      await eve.client.close()
      return asking(stage, ben, 'g', 'leaves.bin')
    },
  },
  {
    what: 'a seeder at a port where nothing listens',
    named: 'unreachable',
    says: /no connection to ann.*nothing listens there.*127\.0\.0\.1:\d+$/,
    async make(stage) {
      const [port = 0] = await freePorts(1)
      return fetched(stage, 'refused-port.bin', { advertise: { host: '127.0.0.1', port } })
    },
  },
  {
    what: 'a seeder at an address that swallows everything',
    named: 'unreachable',
    says: /no connection to ann: no answer from 127\.0\.0\.1:\d+ /,
    make: async (stage) => fetched(stage, 'swallowed.bin', { advertise: await silentServer() }),
  },
  {
    what: 'a seeder that refuses',
    named: 'refused',
    says: /ann refuses: no/,
    make: refusingTickets('proof-failed'),
  },
  {
    what: 'a seeder of another version',
    named: 'peer-version',
    make: refusingTickets('protocol-version'),
  },
  {
    what: 'a seeder that serves others first',
    named: 'queued',
    says: /ann/,
    async make(stage) {
      const { place, ann, ben } = stage
      const carl = await place.member('carl')
      expectOk(await carl.client.operations.joinGroup('g'))
      expectOk(await ann.client.operations.acceptRequest('g', 'carl'))
      const eve = await place.member('ann', { uploadLimit: 40_000 })
      await place.shares(eve, 'g', 'queued.bin')
      await place.fetches(carl, 'g', 'queued.bin')
      await vi.waitFor(async () => {
        const [first] = await place.why(carl, 'g', 'queued.bin')
        expect(first?.code).toBe('limited')
      }, withinMs)
      await place.fetches(ben, 'g', 'queued.bin')
      return asking(stage, ben, 'g', 'queued.bin')
    },
  },
  {
    what: 'a seeder that limits what it sends',
    named: 'limited',
    says: /ann limits what is sent/,
    make: (stage) => fetched(stage, 'limited.bin', { uploadLimit: 100_000 }),
  },
  {
    what: 'a seeder behind a slow line',
    named: 'slow-peer',
    says: /ann sends \d+ KiB a second/,
    async make(stage) {
      let port = 0
      const advertise = await slowLine(() => port, 60_000)
      const { place, ben } = stage
      const eve = await place.member('ann', { advertise })
      port = place.portOf(eve)
      await place.shares(eve, 'g', 'slow.bin')
      await place.fetches(ben, 'g', 'slow.bin')
      return asking(stage, ben, 'g', 'slow.bin')
    },
  },
  {
    what: 'a file that was overwritten at the seeder',
    named: 'file-changed',
    says: /ann/,
    async make(stage) {
      const { place, ben } = stage
      const eve = await place.member('ann', { uploadLimit: 700_000 })
      const path = await place.shares(eve, 'g', 'changed.bin')
      await place.fetches(ben, 'g', 'changed.bin')
      await place.receives(ben, 'changed.bin')
      writeFileSync(path, Buffer.alloc(4 * 512 * 1024), { flag: 'r+' })
      return asking(stage, ben, 'g', 'changed.bin')
    },
  },
  {
    what: 'a file that is replaced by a new version',
    named: 'file-replaced',
    async make(stage) {
      const { place, ben } = stage
      const eve = await place.member('ann', { uploadLimit: 300_000 })
      const path = await place.shares(eve, 'g', 'replaced.bin')
      await place.fetches(ben, 'g', 'replaced.bin')
      await place.receives(ben, 'replaced.bin')
      writeFileSync(path, 'version 2')
      expectOk(await eve.client.operations.uploadFile(path, 'g'))
      return asking(stage, ben, 'g', 'replaced.bin')
    },
  },
  {
    what: 'a file that is withdrawn',
    named: 'no-such-file',
    async make(stage) {
      const ask = await fetched(stage, 'withdrawn.bin', { uploadLimit: 100_000 })
      expectOk(await stage.ann.client.operations.stopShare('g', 'withdrawn.bin'))
      return ask
    },
  },
]

const here: readonly Fault[] = [
  {
    what: 'an own download limit',
    named: 'limited',
    says: /your own download limit/,
    async make(stage) {
      const { place, ann, ben } = stage
      await ben.client.operations.setLimit('download', 50_000)
      await place.shares(ann, 'g', 'own-limit.bin')
      await place.fetches(ben, 'g', 'own-limit.bin')
      return asking(stage, ben, 'g', 'own-limit.bin')
    },
  },
  {
    what: 'an own upload limit',
    named: 'limited',
    says: /your own upload limit/,
    async make(stage) {
      const { place, ann, ben } = stage
      await ann.client.operations.setLimit('upload', 50_000)
      await place.shares(ann, 'g', 'upload-limit.bin')
      await place.fetches(ben, 'g', 'upload-limit.bin')
      return asking(stage, ann, 'g', 'upload-limit.bin')
    },
  },
  {
    what: 'a full disk',
    named: 'disk-full',
    async make(stage) {
      vi.spyOn(PartFile.prototype, 'write').mockRejectedValue(systemError('ENOSPC'))
      return fetched(stage, 'full.bin', {})
    },
  },
  {
    what: 'a slow disk',
    named: 'slow-disk',
    async make(stage) {
      const never = new Promise<void>(() => undefined)
      vi.spyOn(PartFile.prototype, 'write').mockReturnValue(never)
      return fetched(stage, 'slow-disk.bin', {})
    },
  },
  {
    what: 'a destination without permission',
    named: 'no-permission',
    async make(stage) {
      vi.spyOn(PartFile.prototype, 'open').mockRejectedValue(systemError('EACCES'))
      return fetched(stage, 'forbidden.bin', {})
    },
  },
  {
    what: 'a part file that is taken away',
    named: 'disk-trouble',
    async make(stage) {
      const { place, ben } = stage
      const eve = await place.member('ann', { uploadLimit: 300_000 })
      await place.shares(eve, 'g', 'taken.bin')
      await place.fetches(ben, 'g', 'taken.bin')
      await place.receives(ben, 'taken.bin')
      const part = ben.path('files', 'of-g-taken.bin.part')
      rmSync(part)
      writeFileSync(part, 'of somebody else')
      return asking(stage, ben, 'g', 'taken.bin')
    },
  },
  {
    what: 'a pause',
    named: 'paused',
    async make(stage) {
      const ask = await fetched(stage, 'paused.bin', { uploadLimit: 100_000 })
      expectOk(await stage.ben.client.operations.pauseDownload('g', 'paused.bin'))
      return ask
    },
  },
  {
    what: 'a shared file that is gone',
    named: 'file-gone',
    async make(stage) {
      rmSync(await stage.place.shares(stage.ann, 'g', 'removed.bin'))
      return asking(stage, stage.ann, 'g', 'removed.bin')
    },
  },
  {
    what: 'a shared file that was written to',
    named: 'file-changed',
    async make(stage) {
      const path = await stage.place.shares(stage.ann, 'g', 'written.bin')
      writeFileSync(path, 'x', { flag: 'r+' })
      return asking(stage, stage.ann, 'g', 'written.bin')
    },
  },
  {
    what: 'an advertised address where nobody is, asked by whoever shares there',
    named: 'unreachable',
    says: /others are told to come to 127\.0\.0\.1:\d+, and nobody is there/,
    async make(stage) {
      const [port = 0] = await freePorts(1)
      const eve = await stage.place.member('ann', { advertise: { host: '127.0.0.1', port } })
      await stage.place.shares(eve, 'g', 'wrong-address.bin')
      return asking(stage, eve, 'g', 'wrong-address.bin')
    },
  },
  {
    what: 'the same, found by the doctor',
    named: 'doctor: reach',
    async make(stage) {
      const [port = 0] = await freePorts(1)
      const eve = await stage.place.member('ann', { advertise: { host: '127.0.0.1', port } })
      return consulting(stage, eve)
    },
  },
  {
    what: 'a loopback address, told to a tracker elsewhere',
    named: 'doctor: address,trackers',
    async make(stage) {
      const { place } = stage
      // Nobody is at an address for documentation (RFC 5737).
      const trackers = [place.tracker.address, { host: '192.0.2.1', port: 9 }]
      const eve = await place.member('ann', { trackers })
      return consulting(stage, eve)
    },
  },
]

const atTheTracker: readonly Fault[] = [
  {
    what: 'a request to join that nobody has approved',
    named: 'not-approved',
    async make(stage) {
      const { place, ann, ben } = stage
      await place.group('h', ann)
      expectOk(await ben.client.operations.joinGroup('h'))
      return asking(stage, ben, 'h', 'any.bin')
    },
  },
  {
    what: 'a removal from the group',
    named: 'not-a-member',
    async make(stage) {
      const { place, ann, ben } = stage
      await place.group('k', ann, ben)
      await place.shares(ann, 'k', 'theirs.bin')
      await ann.client.operations.setLimit('upload', 50_000)
      await place.fetches(ben, 'k', 'theirs.bin')
      expectOk(await ann.client.operations.removeMember('k', 'ben'))
      return asking(stage, ben, 'k', 'theirs.bin')
    },
  },
  {
    what: 'a group that is not there',
    named: 'no-such-group',
    make: async (stage) => asking(stage, stage.ben, 'nowhere', 'any.bin'),
  },
  {
    what: 'an entry that is not there',
    named: 'no-such-file',
    make: async (stage) => asking(stage, stage.ben, 'g', 'never-shared.bin'),
  },
  {
    what: 'a tracker that is gone',
    named: 'tracker-gone',
    says: /no answer from tracker 127\.0\.0\.1:\d+/,
    async make(stage) {
      const other = await Place.open()
      const dan = await other.member('dan')
      await other.group('d', dan)
      await other.shares(dan, 'd', 'lonely.bin')
      await other.tracker.close()
      return asking(stage, dan, 'd', 'lonely.bin')
    },
  },
  {
    what: 'a tracker with another key',
    named: 'tracker-key',
    says: /has another key/,
    async make(stage) {
      const { fingerprint: pin } = await runTracker()
      const eve = await stage.place.client('ann', { trackers: [{ ...stage.place.tracker.address, pin }] })
      return asking(stage, eve, 'g', 'any.bin')
    },
  },
  {
    what: 'a tracker of another version',
    named: 'tracker-version',
    async make(stage) {
      const fake = new FakeTracker()
      fake.instead.set('hello', () => refuse('protocol-version', 'this tracker speaks version 9'))
      await fake.start()
      const eve = await stage.place.client('ann', { trackers: [fake.address] })
      return asking(stage, eve, 'g', 'any.bin')
    },
  },
  {
    what: 'a clock that is off',
    named: 'doctor: clock',
    async make(stage) {
      const request = Reflect.get(TrackerConnection.prototype, 'request') as (
        ...words: unknown[]
      ) => Promise<any>
      vi.spyOn(TrackerConnection.prototype, 'request').mockImplementation(async function (
        this: TrackerConnection,
        ...words
      ) {
        const answer = await request.apply(this, words)
        if (words[0] === 'ping' && answer.ok === true) answer.value.timeMs += 3_600_000
        return answer
      })
      return consulting(stage, stage.ben)
    },
  },
]

/** What was named instead; undefined when it was named right in time. */
async function misnamed({ named, says, make }: Fault, stage: Stage): Promise<string | undefined> {
  const ask = await make(stage)
  const begunMs = performance.now()
  let answer = ''
  const isRight = (): boolean => answer.startsWith(`${named}:`) && (says?.test(answer) ?? true)
  const isNamed = await vi
    .waitFor(
      async () => {
        answer = await ask()
        expect(isRight()).toBe(true)
      },
      { timeout: withinMs, interval: 50 },
    )
    .then(
      () => true,
      () => false,
    )
  const tookMs = performance.now() - begunMs
  return isNamed && tookMs <= withinMs ? undefined : `${answer} after ${Math.round(tookMs)} ms`
}

test.each([
  ['at the seeder', atTheSeeder],
  ['here', here],
  ['at the tracker', atTheTracker],
] as const)(
  'every fault %s is named right within five seconds',
  async (_where, faults) => {
    const place = await Place.open()
    const [ann, ben] = [await place.member('ann'), await place.member('ben')]
    await place.group('g', ann, ben)
    const wrong: string[] = []
    for (const fault of faults) {
      const answer = await misnamed(fault, { place, ann, ben })
      if (answer !== undefined) wrong.push(`${fault.what}: ${answer}`)
      vi.restoreAllMocks()
      for (const member of [ann, ben]) {
        await member.client.operations.setLimit('upload', undefined)
        await member.client.operations.setLimit('download', undefined)
      }
    }
    expect(wrong).toEqual([])
  },
  120_000,
)

test('there are at least twenty of them', () => {
  expect([...atTheSeeder, ...here, ...atTheTracker].length).toBeGreaterThanOrEqual(20)
})
