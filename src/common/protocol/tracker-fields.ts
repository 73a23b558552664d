// What several messages between client and tracker have in common.

import * as v from 'valibot'
import {
  pageEntries,
  scramIterationsMax,
  scramIterationsMin,
  trackerKeysMax,
  treeFilesMax,
} from '../limits.ts'
import { UserName } from '../names.ts'
import { CommandId, Count, Nothing, Port, PublicKey, SessionText, TimeMs } from './fields.ts'

/** Listings come in pages: `after` is the last entry of the previous page. */
export const page = { after: v.optional(v.string()) }
export const users = v.object({
  users: v.pipe(v.array(UserName), v.maxLength(pageEntries)),
  more: v.boolean(),
})
export const changed = Nothing
export const TrackerKeys = v.pipe(v.array(PublicKey), v.maxLength(trackerKeysMax))
/** `again`: an earlier try may still be on its way to the trackers' log. */
export const id = { id: CommandId, again: v.optional(v.boolean()) }

/** A base64 key of SCRAM-SHA-256: 32 bytes. */
export const ScramKey = v.pipe(v.string(), v.regex(/^[A-Za-z0-9+/]{43}=$/, 'is not a SCRAM key'))

/** What a tracker keeps of a password: see security/scram.ts. */
export const credentials = {
  salt: v.pipe(v.string(), v.regex(/^[A-Za-z0-9+/]{22,64}={0,2}$/, 'is not a salt')),
  iterations: v.pipe(
    v.number(),
    v.safeInteger(),
    v.minValue(scramIterationsMin),
    v.maxValue(scramIterationsMax),
  ),
  storedKey: ScramKey,
  serverKey: ScramKey,
}

/** A one-time code from an operator: 128 bits, hex. */
export const OneTimeCode = v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/, 'is not a code'))

export const session = v.optional(SessionText)

/** Where others reach a client; without `host`, at the address that the tracker sees. */
export const where = { host: v.optional(v.pipe(v.string(), v.ip())), port: Port }

/** How many files a folder has; absent for a single file. */
export const files = { files: v.optional(v.pipe(Count, v.maxValue(treeFilesMax))) }

/** Which content of a name this is (from 1), and who shared it first and when; 0 and empty when nobody knows. */
export const edition = { version: Count, atMs: TimeMs, by: v.string() }
