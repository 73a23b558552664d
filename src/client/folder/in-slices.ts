// Long work on the event loop, a little in each turn.

import { setImmediate } from 'node:timers/promises'

/** In each turn, in milliseconds. */
const sliceMs = 2

/** Runs the generator to its end. Rejects with what it throws, or with the signal's reason. */
export async function inSlices<T>(work: Generator<void, T>, signal?: AbortSignal): Promise<T> {
  let sinceMs = performance.now()
  for (;;) {
    const step = work.next()
    if (step.done === true) return step.value
    if (performance.now() - sinceMs < sliceMs) continue
    await setImmediate()
    signal?.throwIfAborted()
    sinceMs = performance.now()
  }
}

/** Runs it to its end at once; for threads. */
export function atOnce<T>(work: Generator<void, T>): T {
  for (;;) {
    const step = work.next()
    if (step.done === true) return step.value
  }
}

/** Runs it if it ends before its first stop; otherwise ends it there, and returns undefined. */
export function ifShort<T>(work: Generator<void, T>): { readonly value: T } | undefined {
  const step = work.next()
  if (step.done === true) return { value: step.value }
  work.return(undefined as never)
  return undefined
}
