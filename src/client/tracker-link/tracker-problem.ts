// Why what answers at the address of a tracker is not used, as a failure of a kind that programs can tell.

import { Failure } from '../../common/failure.ts'

export type TrackerProblemKind = 'another-key' | 'not-a-tracker' | 'version' | 'full' | 'login-refused'

export class TrackerProblem extends Failure {
  readonly kind: TrackerProblemKind

  constructor(kind: TrackerProblemKind, sentence: string, cause?: unknown) {
    super('protocol', sentence, cause)
    this.kind = kind
  }
}
