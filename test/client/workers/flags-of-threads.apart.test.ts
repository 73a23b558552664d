import { once } from 'node:events'
import { beforeEach, expect, test, vi } from 'vitest'
import { engineFlags } from '../../../src/client/engine-flags.ts'
import { flagsForWork, startWorker } from '../../../src/client/workers/start-worker.ts'

const { set } = vi.hoisted(() => ({ set: [] as string[] }))
vi.mock('node:v8', async (original) => ({
  ...(await original<object>()),
  setFlagsFromString: (flag: string) => void set.push(flag),
}))

const flags = engineFlags(process.versions.v8)
const atWork = flags.map((flag) => flag.atWork)
const endless = new URL('data:text/javascript,setInterval(() => {}, 1000)')
/** As they are set now: the last ones. */
const now = (): string[] => set.slice(-flags.length)

beforeEach(() => {
  set.length = 0
  flagsForWork()
})

test.skipIf(flags.length === 0)('the flags hold again when a thread has started', async () => {
  const worker = startWorker(endless)
  expect(now()).toEqual(flags.map(({ byDefault }) => byDefault))
  await once(worker, 'online')
  expect(now()).toEqual(atWork)
  await worker.terminate()
})

test.skipIf(flags.length === 0)('also when it ended before it had', async () => {
  const worker = startWorker(endless)
  expect(now()).not.toEqual(atWork)
  await worker.terminate()
  expect(now()).toEqual(atWork)
})

test.skipIf(flags.length === 0)('also when it could not be started', () => {
  expect(() => startWorker(endless, { workerData: { cannotBeCloned: () => 0 } })).toThrow(
    'could not be cloned',
  )
  expect(now()).toEqual(atWork)
})
