// What can be wrong with the group, and with the trackers.

import { vi } from 'vitest'
import { TrackerConnection } from '../../../src/client/tracker-link/tracker-connection.ts'
import { refuse } from '../../../src/common/refusal.ts'
import { expectOk } from '../sharing/two-sharers.ts'
import { runTracker } from '../../tracker/support/test-tracker.ts'
import { FakeTracker } from '../tracker-link/fake-tracker.ts'
import { asking, consulting, type Fault } from './fault.ts'
import { Place } from './place.ts'

export const atTheTracker: readonly Fault[] = [
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
      await ann.client.operations.setLimit({ direction: 'upload', bytesPerSecond: 50_000 })
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
