// The Debian package as `npm run check:deb` tries it: installed, used, upgraded and purged in a Debian of its own.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { noPackaging } from './built-package.ts'
import { noConfinement } from './confined-root.ts'
import { whyNoDebian } from './debian-root.ts'
import { checkPackage, type Told } from './package-story.ts'

const debian = 'bookworm'
/** Its packages come from a mirror, and two other tests of packages may run beside it. */
const patienceMs = 15 * 60_000

const skipped = whyNot()
const noServices =
  spawnSync('systemd-nspawn', ['--version']).status === 0 ? '' : ' (skipped: needs systemd-nspawn)'

function whyNot(): string {
  if (noPackaging !== '') return noPackaging
  if (noConfinement !== '') return noConfinement
  const why = whyNoDebian(debian)
  return why === undefined ? '' : ` (skipped: ${why})`
}

describe.skipIf(skipped !== '')(`on a machine with only Debian${skipped}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'coterie-test-'))
  /** How far it came, for whoever sees it fail. */
  const steps: string[] = []
  let told: Told

  beforeAll(async () => {
    const say = (line: string): void => void steps.push(line)
    told = await checkPackage(folder, { debian, node: process.execPath, compression: 'none', say })
  }, patienceMs)
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  test('the package is installed, shares, is upgraded, removed and purged, and nothing is wrong', () => {
    expect(told.problems).toEqual([])
    expect(steps).toContain('removed and installed again')
  })

  test.skipIf(noServices !== '')(
    `both services run under systemd, come back, and go with the package${noServices}`,
    ({ skip }) => {
      skip(told.notBooted !== undefined, told.notBooted)
      expect(told.services).toEqual([])
      expect(steps.at(-1)).toBe('purged')
    },
  )
})
