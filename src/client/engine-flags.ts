// V8's flags for a client at work, and when they hold.

import { setFlagsFromString } from 'node:v8'

/** A flag with the value that helps, and with the one that V8 has by itself. */
export interface EngineFlag {
  readonly atWork: string
  readonly byDefault: string
}

/**
 * V8 compiles a function to optimised code, on background threads, once it has run long enough. The client makes some
 * thousand short calls per gigabyte: with V8's defaults the compiler took a tenth of the processor time of a download and
 * saved none of it. Compiling three to six times later is enough.
 *
 * It lets short-lived objects pile up in a space that it doubles up to 32 MiB while many are made, and what they hold
 * outside its heap, such as bytes that were read from a socket, piles up with them. A sharing client that 400 connections
 * flood with requests took 185 MiB, and takes 120 with a space that does not grow.
 *
 * The flags change with V8, which complains on standard error about a flag that it does not know. So each applies only to
 * the versions where it was measured to help. Node 24 is as fast without one.
 */
const flags: ReadonlyMap<string, readonly EngineFlag[]> = new Map([
  // Node 20.
  [
    '11.3',
    [
      { atWork: '--interrupt-budget=400000', byDefault: '--interrupt-budget=67584' },
      { atWork: '--semi-space-growth-factor=1', byDefault: '--semi-space-growth-factor=2' },
    ],
  ],
  // Node 22.
  [
    '12.4',
    [
      {
        atWork: '--invocation-count-for-turbofan=18000',
        byDefault: '--invocation-count-for-turbofan=3000',
      },
    ],
  ],
])

/** `version` as in `process.versions.v8`. */
export function engineFlags(version: string): readonly EngineFlag[] {
  return flags.get(version.split('.').slice(0, 2).join('.')) ?? []
}

/** Sets the flags of this V8 for all threads, or sets them back. */
export function setEngineFlags(are: keyof EngineFlag): void {
  for (const flag of engineFlags(process.versions.v8)) setFlagsFromString(flag[are])
}

/**
 * Node brings its own modules compiled, and V8 reads that only with the flags that they were compiled with: with others a
 * start takes 35 ms more, and each thread 50. So the flags hold while a client works and no thread is starting. V8 itself
 * sets some of them back, for all threads, whenever one starts.
 */
export class EngineFlags {
  readonly #set: (are: keyof EngineFlag) => void
  readonly #starting = new Set<object>()
  #isAtWork = false

  constructor(set: (are: keyof EngineFlag) => void = setEngineFlags) {
    this.#set = set
  }

  /** The program has started: what it needs of Node is loaded. */
  onWork(): void {
    this.#isAtWork = true
    this.#look()
  }

  /** A thread starts; call the result when it has, and when it has ended. */
  onStarting(): () => void {
    const thread = {}
    this.#starting.add(thread)
    this.#look()
    return () => {
      if (this.#starting.delete(thread)) this.#look()
    }
  }

  #look(): void {
    if (this.#isAtWork) this.#set(this.#starting.size === 0 ? 'atWork' : 'byDefault')
  }
}
