// npm run manual
// Writes what is made from the tables of the programs: docs/man, docs/completions, and the tables of docs/commands.md.

import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { manualFiles } from './pages.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

for (const [path, text] of manualFiles(root)) {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
  process.stdout.write(`${path}\n`)
}
