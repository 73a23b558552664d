// npm run bench:start
// Measures how long a script waits for one command in the client that runs (`./client … -e whoami`, bound: 150 ms), and for
// a client of its own that logs in (no bound). From the start of the launcher to its end; the median of 15, beside Node
// alone, which is what no program in Node can be below.

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inArena, percentile } from './arena.ts'

const runs = 15
const boundMs = 150
const launcher = fileURLToPath(new URL('../client', import.meta.url))

/** Milliseconds, sorted. */
function timesMs(program: string, words: readonly string[], expected: string): number[] {
  const times: number[] = []
  for (let run = 0; run < runs; run++) {
    const startedAtMs = performance.now()
    const { stdout, status, stderr } = spawnSync(program, words, { encoding: 'utf8' })
    times.push(performance.now() - startedAtMs)
    if (status !== 0 || !stdout.includes(expected))
      throw new Error(`${program} ${words.join(' ')}: ${stdout}${stderr}`)
  }
  return times.sort((a, b) => a - b)
}

function report(what: string, times: readonly number[], verdict = ''): void {
  const [median, most] = [percentile(times, 0.5), times.at(-1) ?? 0]
  console.log(`${what.padEnd(42)} ${median.toFixed(0)} ms, at most ${most.toFixed(0)} ms${verdict}`)
}

await inArena(async (arena) => {
  await arena.startMember('ann')
  const list = join(arena.folder, 'trackers.txt')
  const wordsOf = (user: string): string[] => ['127.0.0.1:0', list, '--data-dir', join(arena.folder, user)]
  report('Node alone', timesMs(process.execPath, ['-e', ''], ''))
  const times = timesMs(launcher, [...wordsOf('ann'), '-e', 'whoami'], 'ann')
  const isWithin = percentile(times, 0.5) <= boundMs
  report('-e whoami in the client that runs', times, ` (${isWithin ? 'within' : 'OVER'} ${boundMs} ms)`)
  const ben = await arena.startMember('ben')
  await ben.quit()
  const login = [...wordsOf('ben'), '-e', 'login ben bench']
  report('a client of its own that logs in, and ends', timesMs(launcher, login, 'logged in as ben'))
  if (!isWithin) process.exitCode = 1
})
