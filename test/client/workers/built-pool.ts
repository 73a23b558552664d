// The pools with their workers. These exist only in the build, so it is the pools of the build that are
// tried, not those of the sources; the gate builds before it tests.

import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { expect, onTestFinished, vi } from 'vitest'
import type { FolderPool } from '../../../src/client/workers/folder-pool.ts'
import type { HashPool } from '../../../src/client/workers/hash-pool.ts'
import type { StorePool } from '../../../src/client/workers/store-pool.ts'

function builtUrl(name: string): URL {
  return new URL(`../../../dist/client/workers/${name}.js`, import.meta.url)
}

async function built<T>(name: string): Promise<T> {
  const url = builtUrl(name)
  if (!existsSync(fileURLToPath(url))) throw new Error('npm run build comes before the tests')
  return (await import(url.href)) as T
}

/** Ends with the test. */
export async function builtPool(size?: number, startWorker?: () => Worker): Promise<HashPool> {
  const module = await built<{ HashPool: typeof HashPool }>('hash-pool')
  return closedAfterTest(new module.HashPool(size, startWorker))
}

/** Ends with the test. */
export async function builtFolderPool(): Promise<FolderPool> {
  const module = await built<{ FolderPool: typeof FolderPool }>('folder-pool')
  return closedAfterTest(new module.FolderPool())
}

/** Ends with the test. */
export async function builtStorePool(
  size?: number,
  startWorker?: (data: object) => Worker,
  sizeHere?: number,
): Promise<StorePool> {
  const module = await built<{ StorePool: typeof StorePool }>('store-pool')
  return closedAfterTest(new module.StorePool(size, startWorker, sizeHere))
}

/** A worker of the build, as the pools start it. */
export function realWorker(name: 'hash-worker' | 'store-worker', workerData?: object): Worker {
  return new Worker(builtUrl(name), { workerData })
}

/** A worker as the client has it, beside the functions that are compiled. */
export function bundledWorker(name: 'hash-worker' | 'store-worker', workerData?: object): Worker {
  return new Worker(new URL(`../../../dist/client/${name}.js`, import.meta.url), { workerData })
}

/** How far a worker comes with its first piece before it breaks. */
export const breakingPoints = [
  'before it claims',
  'hashing',
  'verified',
  'verified, with the lock',
  'writing',
  'stored',
] as const
export type BreakingPoint = (typeof breakingPoints)[number]

/** A store worker that does with the first piece what a real one does, up to there, and then ends in this way. */
export function breakingStoreWorker(point: BreakingPoint, end: string, workerData: object): Worker {
  const script = `
    const { writeSync } = require('node:fs')
    const { workerData } = require('node:worker_threads')
    const steps = ${JSON.stringify(breakingPoints)}.slice(1, 1 + ${breakingPoints.indexOf(point)})
    import(${JSON.stringify(builtUrl('store-slots').href)}).then(({ slotCount, SlotState, StoreSlots }) => {
      const slots = new StoreSlots(workerData.memory)
      slots.comeOnDuty()
      const all = Array.from({ length: slotCount }, (_, slot) => slot)
      let slot
      for (;;) {
        const seen = slots.postedCount
        slot = all.find((each) => slots.state(each) === SlotState.received)
        if (slot !== undefined) break
        // Others may have done it all: then nothing breaks, and nobody waits for this worker for ever.
        if (slots.shift !== workerData.shift) process.exit()
        slots.waitForMore(seen)
      }
      const { file, offset, length, journal, record } = slots.job(slot)
      for (const step of steps) {
        if (step === 'writing') writeSync(file, slots.piece(slot), 0, length >> 1, offset)
        if (step === 'stored') writeSync(file, slots.piece(slot), 0, length, offset)
        if (step === 'stored') writeSync(journal, record)
        if (step === 'verified, with the lock') slots.tryLockWriting()
        else slots.setState(slot, SlotState[step])
      }
      ${end}
    })`
  return new Worker(script, { eval: true, workerData, resourceLimits: { maxOldGenerationSizeMb: 16 } })
}

/** A store worker that is there, and does nothing until its shift is over. */
export function idleStoreWorker(workerData: object): Worker {
  const script = `
    const { workerData } = require('node:worker_threads')
    import(${JSON.stringify(builtUrl('store-slots').href)}).then(({ StoreSlots }) => {
      const slots = new StoreSlots(workerData.memory)
      slots.comeOnDuty()
      while (slots.shift === workerData.shift) slots.waitForMore(slots.postedCount)
    })`
  return new Worker(script, { eval: true, workerData })
}

/** A worker that takes what is posted in slot 0 for stored, and sleeps. */
export function sleepyWorker(memory: SharedArrayBuffer): Worker {
  const script = `
    import(${JSON.stringify(builtUrl('store-slots').href)}).then(({ SlotState, StoreSlots }) => {
      const slots = new StoreSlots(require('node:worker_threads').workerData)
      for (;;) {
        const seen = slots.postedCount
        if (!slots.changeState(0, SlotState.received, SlotState.stored)) slots.waitForMore(seen)
      }
    })`
  return new Worker(script, { eval: true, workerData: memory })
}

/** A pool whose first worker is there: until then the loop does without it. */
export async function staffedStorePool(): Promise<StorePool> {
  const pool = await builtStorePool()
  pool.warmUp()
  await vi.waitFor(() => expect(pool.isStaffed).toBe(true), { timeout: 10_000, interval: 5 })
  return pool
}

export function closedAfterTest<T extends FolderPool | HashPool | StorePool>(pool: T): T {
  onTestFinished(() => pool.close())
  return pool
}
