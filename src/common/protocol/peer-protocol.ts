// The protocol between a downloading client (the caller) and a sharing one. PROTOCOL.md explains every
// entry; a test compares it with this table.

import * as v from 'valibot'
import { lineBytesMax, manifestBytesMax, pieceBytes, recipeBytesMax } from '../limits.ts'
import { areInOrder, areInPiece, groupRangesMax, rangesMax } from '../recipe/ranges.ts'
import type { Protocol } from '../wire/methods.ts'
import { Count, FileId, Nonce, Nothing, PieceIndex, PublicKey, Signature, TicketText } from './fields.ts'

/** What a sharing client can do that earlier ones of this protocol version cannot. */
export const recipesFeature = 'recipes'

const Ranges = v.pipe(
  v.array(v.strictTuple([Count, Count])),
  v.minLength(1),
  v.maxLength(rangesMax),
  v.check(areInPiece, 'are not in order'),
)

const GroupRanges = v.pipe(
  v.array(v.strictTuple([Count, Count])),
  v.minLength(1),
  v.maxLength(groupRangesMax),
  v.check(areInOrder, 'are not in order'),
)

export const peerProtocol = {
  requests: {
    /** Shows the ticket. The answer proves the sharing client's key over both nonces. */
    hello: {
      stage: 'connected',
      cost: 400,
      params: v.object({
        protocol: Count,
        program: v.pipe(v.string(), v.maxLength(64)),
        nonce: Nonce,
        ticket: TicketText,
      }),
      result: v.object({
        protocol: Count,
        program: v.string(),
        nonce: Nonce,
        key: PublicKey,
        proof: Signature,
        features: v.optional(v.pipe(v.array(v.pipe(v.string(), v.maxLength(32))), v.maxLength(32))),
      }),
    },
    ping: { stage: 'greeted', cost: 5, params: Nothing, result: Nothing },
    /** Proves the key that the ticket names. From here on the group's files are served. */
    prove: { stage: 'greeted', cost: 250, params: v.strictObject({ proof: Signature }), result: Nothing },
    /** A newer ticket for the same user, group and key. */
    renew: { stage: 'proven', cost: 250, params: v.strictObject({ ticket: TicketText }), result: Nothing },
    /** Opens a file: the pieces it has now, followed by a `have` for each new one. */
    open: {
      stage: 'proven',
      cost: 50,
      params: v.strictObject({ fileId: FileId }),
      result: v.object({ pieces: Count, bitfield: v.string() }),
    },
    manifest: {
      stage: 'proven',
      cost: 20,
      params: v.strictObject({ fileId: FileId }),
      result: Nothing,
      bodyBytesMax: manifestBytesMax,
    },
    /**
     * The outline of the recipe of a content, by which groups of its blocks are found in other files; with `groups` the
     * blocks of these, each the number of its first group and how many there are. Made when it is first asked for.
     */
    recipe: {
      stage: 'proven',
      cost: 250,
      params: v.strictObject({ fileId: FileId, groups: v.optional(GroupRanges) }),
      result: Nothing,
      bodyBytesMax: recipeBytesMax,
    },
    /**
     * A piece; without an index, one that the sharing client chooses among those in `wants`. With `ranges` only these
     * parts of it, each the number of its first block of 4 KiB and how many there are.
     */
    piece: {
      stage: 'proven',
      cost: 20,
      params: v.strictObject({
        fileId: FileId,
        index: v.optional(PieceIndex),
        ranges: v.optional(Ranges),
      }),
      result: v.object({ index: PieceIndex }),
      bodyBytesMax: pieceBytes,
    },
  },
  toCaller: {
    have: v.object({ fileId: FileId, index: PieceIndex }),
    /** The piece chosen for a request without an index. It is sent next and can still be cancelled. */
    chosen: v.object({ request: Count, index: PieceIndex }),
    /** The file is no longer served: withdrawn, changed on disk, or gone. */
    closed: v.object({ fileId: FileId, why: v.pipe(v.string(), v.maxLength(200)) }),
  },
  toResponder: {
    /** The request is no longer needed. Refused as `cancelled` unless its answer has begun. */
    cancel: v.object({ request: Count }),
    /** The pieces among which the sharing client may choose: all that are still missing and not under way. */
    wants: v.object({ fileId: FileId, bitfield: v.pipe(v.string(), v.maxLength(lineBytesMax)) }),
    /** One of the wanted pieces is under way from elsewhere, or has arrived. */
    taken: v.object({ fileId: FileId, index: PieceIndex }),
  },
} as const satisfies Protocol

export type PeerProtocol = typeof peerProtocol
