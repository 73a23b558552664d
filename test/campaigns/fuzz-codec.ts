// npm run fuzz:codec [-- --inputs <millions>] [--seed <n>] [--plant]
// Feeds 20 million changed lines to the codec and the tables of both protocols, in as many processes as there are
// cores. Exits with 1 when something was found. --plant puts a mistake into what is tested: it has to be found.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { fuzzCodec, type CodecFigures } from './fuzz/codec-fuzzer.ts'

const { values } = parseArgs({
  options: {
    inputs: { type: 'string', default: '20' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    plant: { type: 'boolean', default: false },
    /** For a process of its own: does it, and prints the figures. */
    alone: { type: 'boolean', default: false },
  },
})
const [inputs, seed] = [Math.ceil(Number(values.inputs) * 1e6), Number(values.seed)]

if (values.alone) console.log(JSON.stringify(fuzzCodec(seed, inputs, values.plant)))
else await inParallel()

async function inParallel(): Promise<void> {
  const processes = availableParallelism()
  console.log(`seeds ${seed} to ${seed + processes - 1}`)
  const all = await Promise.all(
    Array.from({ length: processes }, (_, index) => one(seed + index, Math.ceil(inputs / processes))),
  )
  const sum = (key: 'inputs' | 'frames' | 'ended'): number =>
    all.reduce((total, each) => total + each[key], 0)
  const most = (key: 'longestMs' | 'heapMiB'): number => Math.max(...all.map((each) => each[key]))
  const findings = all.flatMap((each) => each.findings)
  console.log(`inputs          ${sum('inputs').toLocaleString('en')}`)
  console.log(`messages        ${sum('frames').toLocaleString('en')}`)
  console.log(`hung up at      ${sum('ended').toLocaleString('en')}`)
  console.log(`longest         ${most('longestMs').toFixed(1)} ms`)
  console.log(`heap at most    ${most('heapMiB')} MiB`)
  console.log(`found           ${findings.length}`)
  for (const finding of findings) console.log(`  ${finding.slice(0, 500)}`)
  process.exitCode = findings.length > 0 ? 1 : 0
}

async function one(ownSeed: number, count: number): Promise<CodecFigures> {
  const words = ['--alone', '--seed', String(ownSeed), '--inputs', String(count / 1e6)]
  const path = fileURLToPath(import.meta.url)
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', path, ...words, ...(values.plant ? ['--plant'] : [])],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const line = once(createInterface(child.stdout), 'line')
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`the process with seed ${ownSeed} ended with ${String(code)}`)
  })
  ended.catch(() => undefined)
  const [text] = (await Promise.race([line, ended])) as [string]
  return JSON.parse(text) as CodecFigures
}
