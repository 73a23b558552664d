// The bytes of entries, for whoever looks at them: read from what is shared or downloaded here, also while it arrives.

import type { Answer } from '../common/refusal.ts'

/** One file, or a file of a folder. */
export interface ReadableContent {
  /** Of the file. */
  readonly name: string
  readonly sizeBytes: number
  /** The same for the same bytes, and for no others. */
  readonly tag: string
  /**
   * Some bytes from there on, at least one. Waits for those that are still being fetched, and has them fetched first. `from`:
   * below the size. Rejects with a `file` failure when they cannot be read, or do not come.
   */
  read(from: number): Promise<Buffer>
}

export interface AskedContent {
  readonly group: string
  readonly name: string
  /** Of a file in a folder. */
  readonly path?: string | undefined
}

export interface ContentReading {
  /** Refuses what is neither shared nor downloaded here. `signal`: ends all reading when nobody reads any more. */
  open(asked: AskedContent, signal: AbortSignal): Promise<Answer<ReadableContent>>
}
