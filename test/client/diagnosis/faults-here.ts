// What can go wrong at the client that is asked.

import { rmSync, writeFileSync } from 'node:fs'
import { vi } from 'vitest'
import { PartFile } from '../../../src/client/downloading/part-file.ts'
import { Failure } from '../../../src/common/failure.ts'
import { freePorts } from '../../free-ports.ts'
import { expectOk } from '../sharing/two-sharers.ts'
import { asking, consulting, fetched, type Fault } from './fault.ts'

function systemError(code: string): Failure {
  return new Failure('file', 'cannot write it', Object.assign(new Error(code), { code }))
}

export const here: readonly Fault[] = [
  {
    what: 'an own download limit',
    named: 'limited',
    says: /your own download limit/,
    async make(stage) {
      const { place, ann, ben } = stage
      await ben.client.operations.setLimit({ direction: 'download', bytesPerSecond: 50_000 })
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
      await ann.client.operations.setLimit({ direction: 'upload', bytesPerSecond: 50_000 })
      await place.shares(ann, 'g', 'upload-limit.bin')
      await place.fetches(ben, 'g', 'upload-limit.bin')
      return asking(stage, ann, 'g', 'upload-limit.bin')
    },
  },
  {
    what: 'a download of a higher priority',
    named: 'goes-behind',
    says: /urgent\.bin from g .*goes first/,
    async make(stage) {
      const { place, ann, ben } = stage
      await ben.client.operations.setLimit({ direction: 'download', bytesPerSecond: 300_000 })
      for (const name of ['urgent.bin', 'can-wait.bin']) await place.shares(ann, 'g', name)
      await place.fetches(ben, 'g', 'urgent.bin')
      expectOk(await ben.client.operations.prioritize('g', 'urgent.bin', 'high'))
      await place.receives(ben, 'urgent.bin')
      await ben.client.operations.setLimit({ direction: 'download', bytesPerSecond: 100_000 })
      await place.fetches(ben, 'g', 'can-wait.bin')
      return asking(stage, ben, 'g', 'can-wait.bin')
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
    says: /others are told to connect to 127\.0\.0\.1:\d+, and this client is not there/,
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
