// An answer to a request for a piece or a manifest, from its turn until the system has taken it, and how the queue of
// uploads reaches a peer.

import { pieceBytes } from '../../common/limits.ts'
import type { Answer } from '../../common/refusal.ts'
import type { EntryLimit } from './entry-limits.ts'
import type { Line, Turn } from './upload-order.ts'

/** How the queue reaches one peer. */
export interface UploadPeer {
  /** The user whose share of the uploads it uses, and who may have several peers. */
  readonly owner: string
  /** How long a word to it and its answer take, in milliseconds; 0 while that is not known. */
  readonly roundTrip: { readonly ms: number }
  /** Tells the peer which piece was chosen for a request, before its answer begins. */
  tellChosen(requestId: number, index: number): void
  /** Begins an answer with a body of `bytes` bytes. */
  begin(requestId: number, index: number | undefined, bytes: number): void
  /** Sends a part of the body; resolves when the system has taken it or the peer is gone. */
  send(bytes: Uint8Array): Promise<void>
  refuse(requestId: number, answer: Answer<never>): void
  close(sentence: string): void
  readonly isGone: boolean
}

/** The answer to a request. */
export interface Answering {
  /** The piece; undefined for a manifest. */
  readonly index?: number
  /** The piece was chosen here, and the peer has yet to learn which. */
  readonly isChoice?: boolean
  /** Of the entry, beside that of all uploads. `mayBegin` allowed it. */
  readonly limit?: EntryLimit | undefined
  /** Loads the body. A piece goes into `buffer`, which has the size of one; for a manifest it is empty. */
  load(buffer: Buffer): Promise<Answer<Uint8Array>>
}

/** An answer from its turn until the system has taken it. */
export interface Upload {
  readonly line: Line<UploadPeer, Answering>
  readonly id: number
  readonly answering: Answering
  /** Cancelled after its turn came and before its answer began. */
  isCancelled: boolean
  hasBegun: boolean
  /** The system has taken it, or the peer is gone. */
  isSent: boolean
  /** What has yet to be handed over. */
  restBytes: number
  /** When the last slice was sent, until the system has taken it. */
  sendingSinceMs: number | undefined
  /** The peer knows which piece was chosen. */
  isTold: boolean
  turnIsOver: boolean
}

/** Its turn goes on beside the others, held back by the limit of its entry. */
export function isPaced({ answering, turnIsOver }: Upload): boolean {
  return answering.limit !== undefined && !turnIsOver
}

/** `isTold`: the peer was told of its turn before its time. */
export function uploadFor({ line, id, load }: Turn<UploadPeer, Answering>, isTold: boolean): Upload {
  return {
    line,
    id,
    answering: load,
    isCancelled: false,
    hasBegun: false,
    isSent: false,
    restBytes: pieceBytes,
    sendingSinceMs: undefined,
    isTold,
    turnIsOver: false,
  }
}

/** Tells the peer which piece was chosen, once. */
export function tellChoice(upload: Upload): void {
  const { line, id, answering } = upload
  if (!upload.isTold) tellTurn({ line, id, load: answering })
  upload.isTold = true
}

/** Tells the peer which piece was chosen for its request, if it was left to this client. */
export function tellTurn({ line, id, load: { isChoice, index } }: Turn<UploadPeer, Answering>): void {
  if (isChoice === true && index !== undefined) line.peer.tellChosen(id, index)
}
