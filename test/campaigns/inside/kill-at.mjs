// Preloaded into a tracker: kills it with SIGKILL when it reaches a moment for the n-th time. COTERIE_KILL_AT has n and
// the moment, as in "17 before commit"; see src/tracker/moments.ts.

import { subscribe } from 'node:diagnostics_channel'

const [, count, wanted] = /^(\d+) (.+)$/.exec(process.env.COTERIE_KILL_AT)
let left = Number(count)

subscribe('coterie:tracker:moment', (moment) => {
  if (moment !== wanted || --left > 0) return
  // A reply goes to the socket at the end of the turn, so the kill comes after that.
  if (moment === 'after reply') setImmediate(() => setImmediate(die))
  else die()
})

function die() {
  process.kill(process.pid, 'SIGKILL')
}
