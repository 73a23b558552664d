// A change that is tried until a tracker answers.

import { randomBytes } from 'node:crypto'

/** Its params, each time it is tried: from the second time on they say that an earlier try may be under way. */
export function triesOf<P extends object>(params: P): () => P & { again?: true } {
  let isFirst = true
  return () => {
    if (!isFirst) return { ...params, again: true }
    isFirst = false
    return params
  }
}

/** Makes the id of one change, which stays the same however often the change is sent. */
export function newCommandId(): string {
  return randomBytes(16).toString('base64url')
}
