// What several messages between client and tracker have in common.

import * as v from 'valibot'
import {
  localHostsMax,
  pageEntries,
  scramIterationsMax,
  scramIterationsMin,
  trackerKeysMax,
  treeFilesMax,
} from '../limits.ts'
import { UserName } from '../names.ts'
import { CommandId, Count, Nonce, Nothing, Port, PublicKey, SessionText, TimeMs } from './fields.ts'

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

/** An address where something was seen, or may be reached. */
export const Place = v.object({ host: v.pipe(v.string(), v.ip()), port: Port })
export type Place = v.InferOutput<typeof Place>

/** The addresses of a machine on its own networks: private ones. */
const LocalHosts = v.pipe(v.array(v.pipe(v.string(), v.ip())), v.maxLength(localHostsMax))

/** Where others reach a client; without `host`, at the address that the tracker sees. */
export const where = {
  host: v.optional(v.pipe(v.string(), v.ip())),
  port: Port,
  /** For those who are seen at the same address as this client. */
  local: v.optional(LocalHosts),
  /** The port there, where that is another one. */
  localPort: v.optional(Port),
  /** A router forwards the port, because this client has asked it to. */
  mapped: v.optional(v.literal(true)),
  /** Forwards the connections of others who cannot reach each other. */
  relays: v.optional(v.literal(true)),
}

/** Where the tracker sees the caller; trackers before 0.3 leave it out. */
export const seen = v.optional(Place)

/** How one of two clients comes to the other, see `call_peer`. */
export const ways = {
  ...Place.entries,
  /** A tracker has come there from outside; false when it has not. */
  reachable: v.optional(v.boolean()),
  /** Where to try first: both are seen at the same address. */
  local: v.optional(LocalHosts),
  localPort: v.optional(Port),
  /** Where its connection to the tracker comes from, for a simultaneous open. */
  outside: v.optional(Place),
  /** A tracker or member that forwards: what it is to be told, see "Roles". */
  relay: v.optional(v.object({ ...Place.entries, token: Nonce })),
}

/** How many files a folder has; absent for a single file. */
export const files = { files: v.optional(v.pipe(Count, v.maxValue(treeFilesMax))) }

/** Which content of a name this is (from 1), and who shared it first and when; 0 and empty when nobody knows. */
export const edition = { version: Count, atMs: TimeMs, by: v.string() }

/** A client that has pieces of a file: where it listens, and the key it must prove. */
export const Peer = v.object({
  user: UserName,
  /** An IP address, never a name: nobody can make this client query a name server. */
  host: v.pipe(v.string(), v.ip()),
  port: Port,
  key: PublicKey,
  /** Has every piece. */
  complete: v.boolean(),
  /** Whether a tracker came there from outside; absent while it has not tried, and from older trackers. */
  reachable: v.optional(v.boolean()),
  /** Its router forwards the port at its request. */
  mapped: v.optional(v.literal(true)),
})
export type Peer = v.InferOutput<typeof Peer>
