// The fields shared by the messages of both protocols.

import * as v from 'valibot'
import { pieceBytes, pieceCountMax } from '../limits.ts'
import { FileName, GroupName } from '../names.ts'

/** An Ed25519 public key: 32 bytes, base64url. */
export const PublicKey = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{43}$/, 'is not a public key'))

/** An Ed25519 signature: 64 bytes, base64url. */
export const Signature = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{86}$/, 'is not a signature'))

/** Random bytes that make an exchange unique: 16 to 48 bytes, base64url. */
export const Nonce = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{22,64}$/, 'is not a nonce'))

/** SHA-256 of a manifest, lower-case hex. */
export const FileId = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, 'is not a file id'))

/** Chosen by the caller for each change, so that a repeated request takes effect once. */
export const CommandId = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{16,64}$/, 'is not a command id'))

export const SizeBytes = v.pipe(
  v.number(),
  v.safeInteger(),
  v.minValue(0),
  v.maxValue(pieceCountMax * pieceBytes),
)
export const Count = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
export const PieceIndex = v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(pieceCountMax - 1))
export const Port = v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(65_535))

/** Milliseconds since 1970 by the sender's clock. */
export const TimeMs = v.pipe(v.number(), v.safeInteger(), v.minValue(0))

/** A signed ticket, see security/ticket.ts. */
export const TicketText = v.pipe(v.string(), v.maxLength(1024))

/** A signed session, see security/session.ts. */
export const SessionText = v.pipe(v.string(), v.maxLength(1024))

/** A message of RFC 5802. */
export const ScramText = v.pipe(v.string(), v.maxLength(1024))

/** One version of one file in one group. */
export const FileVersion = v.strictObject({ group: GroupName, name: FileName, fileId: FileId })
export type FileVersion = v.InferOutput<typeof FileVersion>

export const Nothing = v.object({})
