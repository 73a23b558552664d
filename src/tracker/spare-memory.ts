// Returns the memory that reading a long log took. V8 would keep it: a tracker that has read a million entries would
// hold a hundred MiB that it never needs again.

import { setTimeout } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Memory freed by one collection is returned to the system during the next ones, by background threads. */
const collections = 3
const pauseMs = 100

/** Takes a second for a state of a million entries: call it at the start, before anybody waits. */
export async function spareMemory(): Promise<void> {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  for (let count = 0; count < collections; count++) {
    collect()
    await setTimeout(pauseMs)
  }
}
