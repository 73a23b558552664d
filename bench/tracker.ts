// npm run bench:tracker -- [queries] [commands] [memory] [start] [news] [pages] [neighbours] [full-house] [snapshots]
// (all of them when none is named; Linux)
// Measures one tracker, over the wire, against bounds; the parts are in tracker/parts, and each says what it
// measures. The load comes from separate processes. TRACKER_MAIN names the main.js of another built tracker to
// measure instead of this tree's, for comparison; it must speak this tree's version of the protocol and read its
// logs. Exits with 1 when a bound is missed.

import { benchCommands } from './tracker/parts/commands.ts'
import { benchFullHouse } from './tracker/parts/full-house.ts'
import { benchMemory } from './tracker/parts/memory.ts'
import { benchNeighbours } from './tracker/parts/neighbours.ts'
import { benchNews } from './tracker/parts/news.ts'
import { benchPages } from './tracker/parts/pages.ts'
import { benchQueries } from './tracker/parts/queries.ts'
import { benchSnapshots } from './tracker/parts/snapshots.ts'
import { benchStart } from './tracker/parts/start.ts'
import { isAllReached } from './tracker/report.ts'
import { trackerMain } from './tracker/server-process.ts'
import { cleanUp, cleanUpOnSignals } from './tracker/workplace.ts'

const parts = new Map([
  ['queries', benchQueries],
  ['commands', benchCommands],
  ['memory', benchMemory],
  ['start', benchStart],
  ['news', benchNews],
  ['pages', benchPages],
  ['neighbours', benchNeighbours],
  ['full-house', benchFullHouse],
  ['snapshots', benchSnapshots],
])

const words = process.argv.slice(2)
const unknown = words.find((word) => !parts.has(word))
if (unknown !== undefined) {
  console.error(`there is no part "${unknown}"; there are ${[...parts.keys()].join(', ')}`)
  process.exit(2)
}
cleanUpOnSignals()
try {
  console.log(`measuring ${trackerMain}`)
  for (const [name, run] of parts) {
    if (words.length > 0 && !words.includes(name)) continue
    console.log('')
    await run()
  }
  process.exitCode = isAllReached() ? 0 : 1
} finally {
  cleanUp()
}
