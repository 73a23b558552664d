// The pools with their workers. These exist only in the build, so it is the pools of the build that are
// tried, not those of the sources; the gate builds before it tests.

import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, vi } from 'vitest'
import type { HashPool } from '../../../src/client/workers/hash-pool.ts'
import type { StorePool } from '../../../src/client/workers/store-pool.ts'

async function built<T>(name: string): Promise<T> {
  const url = new URL(`../../../dist/client/workers/${name}.js`, import.meta.url)
  if (!existsSync(fileURLToPath(url))) throw new Error('npm run build comes before the tests')
  return (await import(url.href)) as T
}

/** Ends with the test. */
export async function builtPool(size?: number): Promise<HashPool> {
  const module = await built<{ HashPool: typeof HashPool }>('hash-pool')
  return closedAfterTest(new module.HashPool(size))
}

/** Ends with the test. */
export async function builtStorePool(size?: number): Promise<StorePool> {
  const module = await built<{ StorePool: typeof StorePool }>('store-pool')
  return closedAfterTest(new module.StorePool(size))
}

/** A pool whose first worker is there: until then the loop does without it. */
export async function staffedStorePool(): Promise<StorePool> {
  const pool = await builtStorePool()
  pool.warmUp()
  await vi.waitFor(() => expect(pool.isStaffed).toBe(true), { timeout: 10_000, interval: 5 })
  return pool
}

export function closedAfterTest<T extends HashPool | StorePool>(pool: T): T {
  onTestFinished(() => pool.close())
  return pool
}
