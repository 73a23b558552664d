// Failures: errors outside the program's control, with a code and their cause.

export type FailureCode = 'connection-lost' | 'timeout' | 'protocol' | 'file' | 'data' | 'usage' | 'start'

export class Failure extends Error {
  readonly code: FailureCode

  constructor(code: FailureCode, sentence: string, cause?: unknown) {
    super(sentence, cause === undefined ? undefined : { cause })
    this.name = 'Failure'
    this.code = code
  }
}

/** The message of anything thrown, for a person. */
export function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** The system's code for an error (`ENOENT`, `ECONNREFUSED`), or undefined. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
