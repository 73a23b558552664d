// How long peers are waited for that do not read, and cutting the connections of those that hold pieces in memory and take
// nothing, when others have to wait for them.

import type { Answering, Upload, UploadPeer } from './answering.ts'
import type { Line } from './upload-order.ts'

/**
 * A peer that takes longer for a piece is slow. Under a limit, pieces go out strictly one by one, but after waiting
 * this long in all for the peer to read, others are served beside it: a peer that hangs with its socket full must not
 * stop all uploads. Once one peer of a user is known to be slow, none of that user's peers is waited for.
 */
const slowReaderMs = 250

/** A peer that has taken nothing for this long counts as hung, if others have to wait for it. */
const stuckMs = 1000

/** Closes at most so many of these connections: of the user who holds most first, then who has taken nothing for longest. */
export function closeStuck(held: readonly Upload[], most: number, nowMs: number): void {
  const byUser = new Map<string, number>()
  for (const { line } of held) byUser.set(line.peer.owner, (byUser.get(line.peer.owner) ?? 0) + 1)
  held
    .filter(({ sendingSinceMs = nowMs }) => nowMs - sendingSinceMs >= stuckMs)
    .toSorted((one, other) => {
      const [a, b] = [one, other].map(({ line }) => byUser.get(line.peer.owner) ?? 0)
      return (b ?? 0) - (a ?? 0) || (one.sendingSinceMs ?? 0) - (other.sendingSinceMs ?? 0)
    })
    .slice(0, most)
    .forEach(({ line }) => line.peer.close('it does not read what it asked for, and others wait'))
}

/** Milliseconds to wait for the peer. A distrusted user gets none: many hanging connections would stop all others. */
export function patienceWith({ owner }: Line<UploadPeer, Answering>): number {
  return owner.distrust > 0 ? 0 : slowReaderMs
}
