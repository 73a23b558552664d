// Further connections to a peer, for the same file, that are opened while the first one is being greeted.

import type { EarlyPiece } from './early-pieces.ts'

export interface Beside<Link> {
  /** The peer has been dialled, which took so long. */
  onDialled(roundTripMs: number): void
  /** Hands them over: each resolves to undefined when there is no such connection. */
  take(): readonly Promise<OpenedBeside<Link> | undefined>[]
  /** Hands over the pieces that were asked for on them before the manifest was there. */
  takePieces(): readonly EarlyPiece[]
  /** Closes those that were not handed over. */
  close(): void
}

export interface OpenedBeside<Link> {
  readonly link: Link
  /** Call it once when the connection has ended. */
  readonly giveBack: () => void
}
