// npm run check:deb [-- --debian bookworm|trixie|<tarball of it>] [--node <path>] [--compression xz]
// Builds the Debian package in two versions, and does with them what people do, in a Debian that has nothing but its base:
// installs the first, has a tracker and clients share and fetch, upgrades to the second, removes and purges. Then boots it
// with systemd, and does the same with the services. Exits with 1 when something is not as it should be. Linux, root,
// mmdebstrap, a mirror of Debian that apt has here, and systemd-nspawn for the services; a few minutes.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import { noConfinement } from '../packaging/confined-root.ts'
import { checkPackage } from '../packaging/package-story.ts'
import { report, skip } from './figures.ts'

const { values } = parseArgs({
  options: {
    debian: { type: 'string', default: 'bookworm' },
    node: { type: 'string', default: process.execPath },
    compression: { type: 'string', default: 'none' },
  },
})

const why = noConfinement.replaceAll(/^ \(skipped: |\)$/g, '')
if (why === '') await main()
else skip('the Debian package', why)

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'coterie-check-deb-'))
  const startedMs = performance.now()
  try {
    const told = await checkPackage(folder, {
      ...values,
      say: (line) =>
        console.log(`${((performance.now() - startedMs) / 1000).toFixed(1).padStart(6)} s  ${line}`),
    })
    const problems = [...told.problems, ...(told.services ?? [])]
    if (told.notBooted !== undefined) console.log(`skipped: its services with systemd: ${told.notBooted}`)
    for (const problem of problems) console.log(`wrong: ${problem}`)
    report('the Debian package', [
      ['in', basename(values.debian)],
      ['wrong', String(problems.length)],
    ])
    if (problems.length > 0) process.exitCode = 1
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
