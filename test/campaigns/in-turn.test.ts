// Running campaigns in turn: the result of each, and the summary.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../client/temporary-folder.ts'
import { resultOf, runInTurn, summaryOf, type Campaign } from './in-turn.ts'

const figures = JSON.stringify(new URL('figures.ts', import.meta.url).href)

/** Campaigns with these names and programs. */
function campaignsOf(programs: Readonly<Record<string, string>>): Campaign[] {
  const folder = temporaryFolder()
  return Object.entries(programs).map(([name, program]) => {
    const file = join(folder, `${name}.mts`)
    writeFileSync(file, `const { report, skip } = await import(${figures})\n${program}`)
    return { name, file, words: ['--kills', '3'] }
  })
}

test('each runs to its end whatever happened to the one before, and the summary names those that failed', async () => {
  const begun: string[] = []
  const campaigns = campaignsOf({
    wrong: "report('one', [['lost', '1'], ['longest', '5 ms']]); process.exitCode = 1",
    killed: "process.kill(process.pid, 'SIGKILL')",
    good: "report('two', [['kill -9', process.argv.at(-1) ?? ''], ['lost', '0']]); report('three', [['calls', '9']])",
    silent: '',
    away: "skip('four', 'there is no such thing here')",
  })
  const outcomes = await runInTurn(campaigns, ({ name }) => begun.push(name), 'ignore')
  expect(begun).toEqual(['wrong', 'killed', 'good', 'silent', 'away'])
  expect(outcomes.map(resultOf)).toEqual(['failed', 'failed', 'ok', 'failed', 'skipped'])
  expect(summaryOf(outcomes.map((outcome, index) => ({ ...outcome, seconds: 59.6 + index })))).toEqual([
    'failed   wrong            1 min 00 s',
    '  one: lost 1',
    'failed   killed           1 min 01 s',
    'ok       good             1 min 02 s',
    '  two: kill -9 3, lost 0',
    '  three: calls 9',
    'failed   silent           1 min 03 s',
    'skipped  away             1 min 04 s',
    '  four: there is no such thing here',
    '1 ok, 3 failed, 1 skipped',
  ])
})
