// npm run bench:entries [-- <part> ...] [--files <n>] [--kib <n>] [--singles <n>]
// Folders of many small files, and many small files: sharing, fetching, one by one (singles); and a new version for a swarm
// (version). All parts without words.

import { parseArgs } from 'node:util'
import { measureFetching } from './entries/fetching.ts'
import { measureSharing } from './entries/sharing.ts'
import { measureSingles } from './entries/singles.ts'
import { measureVersion } from './entries/version.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    files: { type: 'string', default: '100000' },
    kib: { type: 'string', default: '10' },
    singles: { type: 'string', default: '1500' },
  },
})
const files = { count: Number(values.files), kibibytes: Number(values.kib) }
const parts: Readonly<Record<string, () => Promise<void>>> = {
  sharing: () => measureSharing(files),
  fetching: () => measureFetching(files),
  singles: () => measureSingles(Number(values.singles)),
  version: measureVersion,
}
for (const [name, measure] of Object.entries(parts)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue
  console.log(`\n${name}`)
  await measure()
}
