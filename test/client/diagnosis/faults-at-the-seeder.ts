// What can go wrong at whoever has the file, and on the way there.

import { writeFileSync } from 'node:fs'
import { expect, vi } from 'vitest'
import { TicketOffice } from '../../../src/client/sharing/ticket-office.ts'
import { refuse, type RefusalCode } from '../../../src/common/refusal.ts'
import { freePorts } from '../../free-ports.ts'
import { expectOk } from '../sharing/two-sharers.ts'
import { asking, fetched, type Ask, type Fault, type Stage } from './fault.ts'
import { silentServer, slowLine } from './place.ts'

const withinMs = 5000

function refusingTickets(code: RefusalCode): (stage: Stage) => Promise<Ask> {
  return async (stage) => {
    vi.spyOn(TicketOffice.prototype, 'admit').mockReturnValue(refuse(code, 'no'))
    return fetched(stage, `${code}.bin`, {})
  }
}

export const atTheSeeder: readonly Fault[] = [
  {
    what: 'a seeder that is gone before anybody came',
    named: 'no-seeder',
    says: /who was online last is not known/,
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
    says: /ann has set an upload limit/,
    make: (stage) => fetched(stage, 'limited.bin', { uploadLimit: 100_000 }),
  },
  {
    what: 'a seeder behind a slow line',
    named: 'slow-peer',
    says: /ann sends only [\d.]+ KiB\/s/,
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
    what: 'a file that is withdrawn',
    named: 'no-such-file',
    async make(stage) {
      const ask = await fetched(stage, 'withdrawn.bin', { uploadLimit: 100_000 })
      expectOk(await stage.ann.client.operations.stopShare('g', 'withdrawn.bin'))
      return ask
    },
  },
]
