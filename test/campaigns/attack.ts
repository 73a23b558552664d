// npm run attack [-- --only <words>,<words>] [--visits <n>]
// Attacks a real tracker and a real client over TLS in every way that docs/security.md speaks of, while an honest user
// works there. Prints what each attack got, and what the honest user noticed. Exits with 1 when an attack got what it
// must not, or he, or an honest guest who fetches by a link, needed more than twice the usual time. `--only` takes the attacks whose names have these words in
// them, `--visits` is how often he comes during each. Linux: attackers come from other addresses of loopback.

import { parseArgs } from 'node:util'
import { attacks } from './attack/attacks.ts'
import type { Attack, Outcome } from './attack/battle.ts'
import { HostileProcess } from './attack/hostile-process.ts'
import { Notices, type Noticed } from './attack/notices.ts'
import { Place } from './attack/place.ts'
import { linesOf, problemsOf, tableHead, type Row } from './attack/table.ts'
import { report } from './figures.ts'

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    visits: { type: 'string', default: '3' },
  },
})
const words = values.only.split(',')
const chosen = attacks.filter(({ name }) => words.some((each) => name.includes(each)))

if (chosen.length === 0) {
  console.error(`error: no attack has "${values.only}" in its name`)
  process.exitCode = 2
} else await main()

async function main(): Promise<void> {
  const place = new Place()
  const rows: Row[] = []
  let memory: [string, string][] = []
  try {
    await place.start()
    console.log(tableHead)
    const notices = new Notices(() => place.visit(), Number(values.visits))
    for (const attack of chosen) {
      const row = await carryOut(attack, place, notices)
      rows.push(row)
      for (const line of linesOf(row)) console.log(line)
    }
    memory = place.memory()
  } finally {
    await place.close()
  }
  const failed = rows.filter((row) => problemsOf(row).length > 0)
  report('attacks beside an honest user', [
    ['attacks', String(rows.length)],
    ['that got what they must not', String(rows.filter(({ outcome }) => outcome.got.length > 0).length)],
    ['that cost him more than twice', String(rows.filter(({ noticed }) => !noticed.isWithin).length)],
    ['his usual time, median', `${Math.round(rows.at(-1)?.noticed.aloneMs ?? 0)} ms`],
    ...memory,
  ])
  if (failed.length > 0) process.exitCode = 1
}

/** One that breaks, or keeps the honest user from what he does, is a row of the table too. */
async function carryOut(attack: Attack, place: Place, notices: Notices): Promise<Row> {
  await notices.alone()
  const { aloneMs } = notices
  place.operate(attack.before)
  const problems: string[] = []
  let [noticed, outcome]: [Noticed, Outcome] = [
    { aloneMs, besideMs: Infinity, isWithin: false, parts: 'none' },
    { tried: 0, answers: {}, got: [], facts: [] },
  ]
  let hostile: HostileProcess | undefined
  try {
    hostile = await HostileProcess.start(attack.name, place.scene)
    noticed = await notices.beside(attack.takesFromGuests !== true)
  } catch (error) {
    problems.push(`there was trouble beside it: ${String(error)}`)
  }
  try {
    outcome = (await hostile?.stop()) ?? outcome
  } catch (error) {
    problems.push(`it broke: ${String(error)}`)
  }
  place.operate(attack.after)
  const got = [...outcome.got, ...problems, ...place.damages()]
  return { attack, outcome: { ...outcome, got }, noticed }
}
