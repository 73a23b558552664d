// The hash pool with its workers. They exist only in the build, so it is the pool of the build that is
// tried, not that of the sources; the gate builds before it tests.

import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import type { HashPool } from '../../../src/client/sharing/hash-pool.ts'

const built = new URL('../../../dist/client/sharing/hash-pool.js', import.meta.url)

/** Ends with the test. */
export async function builtPool(size?: number): Promise<HashPool> {
  if (!existsSync(fileURLToPath(built))) throw new Error('npm run build comes before the tests')
  const module = (await import(built.href)) as { HashPool: typeof HashPool }
  return closedAfterTest(new module.HashPool(size))
}

export function closedAfterTest(pool: HashPool): HashPool {
  onTestFinished(() => pool.close())
  return pool
}
