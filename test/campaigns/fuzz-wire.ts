// npm run fuzz:wire [-- --inputs <millions>] [--seed <n>] [--plant]
// Sends a million changed lines to a live tracker and a live client, half of them over TLS, from strangers and from
// members. Exits with 1 when a program ended, or did not answer somebody who behaves within a second. --plant ends a
// program at one of the lines: it has to be found.

import { parseArgs } from 'node:util'
import { fuzzWire } from './fuzz/wire-fuzzer.ts'

const { values } = parseArgs({
  options: {
    inputs: { type: 'string', default: '1' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    plant: { type: 'boolean', default: false },
  },
})
const [inputs, seed] = [Math.ceil(Number(values.inputs) * 1e6), Number(values.seed)]

console.log(`seed ${seed}`)
for (const encryption of ['beyond', 'always'] as const) {
  const figures = await fuzzWire(encryption, seed, Math.ceil(inputs / 2), values.plant)
  console.log(`\n${encryption === 'always' ? 'TLS' : 'plain'}`)
  for (const [target, count] of Object.entries(figures.inputs))
    console.log(`  ${target.padEnd(28)} ${count.toLocaleString('en')} lines`)
  console.log(`  connections                  ${figures.connections.toLocaleString('en')}`)
  console.log(`  asked by who behaves         ${figures.honestRequests.toLocaleString('en')}`)
  console.log(`  answered after at most       ${figures.honestLongestMs.toFixed(0)} ms`)
  console.log(`  found                        ${figures.findings.length}`)
  for (const finding of figures.findings) console.log(`    ${finding}`)
  if (figures.findings.length > 0) process.exitCode = 1
}
