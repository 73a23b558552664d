import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { engineFlags } from '../../../src/client/engine-flags.ts'

/** Makes much garbage, some of which lives for a while, and says how large the space for it is then, in MiB. */
const script = `
import { getHeapSpaceStatistics } from 'node:v8'
const { flagsForWork, startWorker } = await import(process.argv[1])
flagsForWork()
const worker = startWorker(new URL('data:text/javascript,setInterval(() => {}, 1000)'))
await new Promise((resolve) => worker.once('online', resolve))
let kept = []
for (let count = 0; count < 2e6; count++) {
  kept.push({ count, list: [count] })
  if (kept.length > 20_000) kept = []
}
console.log(getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space').space_size / 2 ** 20)
process.exit()
`

const growth = '--semi-space-growth-factor=1'

// V8 sets the flag back when a thread starts.
test.skipIf(!engineFlags(process.versions.v8).some(({ atWork }) => atWork === growth))(
  'the space for short-lived objects stays small after a thread has started',
  () => {
    const module = fileURLToPath(new URL('../../../src/client/workers/start-worker.ts', import.meta.url))
    const words = ['--import', 'tsx', '--input-type=module', '-e', script, module]
    const { stdout, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8', timeout: 60_000 })
    expect(stderr).toBe('')
    expect(Number(stdout)).toBeLessThanOrEqual(16)
    expect(Number(stdout)).toBeGreaterThan(0)
  },
)
