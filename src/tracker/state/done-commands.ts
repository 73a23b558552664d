// Which of its last changes an account knows as done, so that a request that is repeated takes effect once.
// Kept for each account: what others do never pushes them out. Only what was done is remembered. A refused
// change has changed nothing, and is decided anew.

import type { Account } from './state.ts'

/** More than a client has under way on its connections when it loses them. */
export const doneRememberedMax = 128

/**
 * 53 bits of a command id (FNV-1a twice, with different beginnings). Ids are random, and two that fall together
 * concern only the account that chose them.
 */
export function hashOfId(id: string): number {
  let one = 0x811c9dc5
  let other = 0x050c5d1f
  for (let at = 0; at < id.length; at++) {
    const unit = id.charCodeAt(at)
    one = Math.imul(one ^ unit, 0x01000193)
    other = Math.imul(other ^ unit, 0x01000193) ^ (other >>> 15)
  }
  return (one >>> 0) * 0x200000 + (other >>> 11)
}

export function isDone(account: Account, hash: number): boolean {
  return account.done.includes(hash)
}

export function remember(account: Account, hash: number): void {
  const kept = account.done.length < doneRememberedMax ? account.done : account.done.slice(1)
  // An array that is pushed to takes room for twice as many as most accounts ever need.
  account.done = kept.concat(hash)
}
