// Whether somebody reads standard error in the journal of systemd.

import { fstatSync } from 'node:fs'

/** Whether standard error is the journal, by systemd.exec(5). */
export function isJournal(): boolean {
  const { dev, ino } = fstatSync(2)
  return process.env['JOURNAL_STREAM'] === `${dev}:${ino}`
}
