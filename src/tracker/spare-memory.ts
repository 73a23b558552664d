// Gives back what reading a long log has left behind. V8 keeps it for later, and there is no later like it: a tracker
// that has read a million entries would hold a hundred MiB more than it ever needs again.

import { setTimeout } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** What one collection frees is given back to the system during the next ones, by threads of their own. */
const collections = 3
const pauseMs = 100

/** Takes a second for a state of a million entries: for the start, before anybody waits. */
export async function spareMemory(): Promise<void> {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  for (let count = 0; count < collections; count++) {
    collect()
    await setTimeout(pauseMs)
  }
}
