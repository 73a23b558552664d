// Cuts the connections of peers that hold pieces in memory and take nothing, when others have to wait for them.

import type { Upload } from './answering.ts'

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
