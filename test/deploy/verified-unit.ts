// What systemd says of a unit, without running one.

import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '../tracker/support/test-tracker.ts'

/** Why it cannot be asked here, for the titles of tests; empty where it can. */
export const noAnalyze =
  spawnSync('systemd-analyze', ['--version']).status === 0
    ? ''
    : ' (skipped: there is no systemd-analyze here)'

/**
 * What systemd says about a unit, called `name`, with this text: nothing when it understands all of it. It looks for the
 * program too, so `here` is put in the place of `path`.
 */
export function complaintsAbout(name: string, text: string, [path, here]: [string, string]): string[] {
  const folder = temporaryFolder()
  const unit = join(folder, name)
  writeFileSync(unit, text.replace(path, here))
  const isOfUser = /^WantedBy=default\.target$/m.test(text)
  const verified = spawnSync(
    'systemd-analyze',
    [...(isOfUser ? ['--user'] : []), 'verify', '--man=no', unit],
    // As if its user were logged in.
    { encoding: 'utf8', env: { ...process.env, XDG_RUNTIME_DIR: folder } },
  )
  const lines = verified.stderr
    .split('\n')
    .filter((line) => line.includes(name.replace(/@?\d?\.service$/, '')))
  return verified.status === 0 ? lines : [...lines, `systemd-analyze ended with ${verified.status}`]
}
