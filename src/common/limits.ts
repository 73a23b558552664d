// Every bound of both programs, each with its reason. Nothing that comes from outside is unbounded.

const KiB = 1024
const MiB = 1024 * KiB

/** A piece, the unit of transfer and verification, in bytes. The last piece of a file may be shorter. */
export const pieceBytes = 512 * KiB

/** 262,144 pieces are 128 GiB a file: the manifest of such a file still fits in `manifestBytesMax`. */
export const pieceCountMax = 262_144

/** The size of a manifest is known, and held against this, before anything is allocated for it. */
export const manifestBytesMax = 16 * MiB

/** A line before login: room for a `hello` with a ticket and a SCRAM message, and for little else. */
export const lineBytesBeforeLogin = 4 * KiB

/** A line after login: room for a page of a listing (`pageEntries`) or a batch of announces. */
export const lineBytesMax = 64 * KiB

/** Entries a page of a listing: 100 of the longest file names stay under `lineBytesMax`. */
export const pageEntries = 100

/** Files in one `announce` that a tracker takes. */
export const announceFilesMax = 100

/** Files in one `announce` that a client sends: 90 of the longest file names stay under `lineBytesMax`. */
export const announceBatchFiles = 90

/** The first line must arrive within this time, so that silent connections cost nothing for long. */
export const firstLineTimeoutMs = 10_000

/** An idle connection is pinged after this time … */
export const pingAfterMs = 30_000
/** … and given up after this one, without a byte from the other end. */
export const deadAfterMs = 90_000

/** How long a request to a tracker may take before it is tried elsewhere. Commits take milliseconds. */
export const requestTimeoutMs = 10_000

/** How long to wait for a TCP connection to open. */
export const connectTimeoutMs = 5_000

/** Bytes that may wait in a socket for a reader that does not read; past it the connection is closed. */
export const unsentBytesMax = MiB

/** Requests of one connection that may be under way at once; past it the connection is not read. */
export const requestsInFlightMax = 64

/** Malformed lines that a connection is told about before it is closed. */
export const malformedLinesMax = 8

/** Piece requests queued for one peer. At 512 KiB each, 8 MiB: a second of a fast home line. */
export const pieceRequestsQueuedMax = 16

/** Connections that a client's peer server holds at once. */
export const peerConnectionsMax = 200

/** Peers that one download talks to at once, and peers named in one answer of the tracker. */
export const peersPerFileMax = 50

/** Connections from one address to a tracker (loopback exempt: a whole test swarm lives there). */
export const connectionsPerAddressMax = 64

/** Connections to a tracker that have not logged in. */
export const anonymousConnectionsMax = 256

/** Failed logins a minute for one user from one address. */
export const failedLoginsPerMinute = 5

/** SCRAM iterations of new passwords, and the bounds within which a client believes a tracker. */
export const scramIterations = 600_000
export const scramIterationsMin = 100_000
export const scramIterationsMax = 2_000_000

/** Bytes of a password in UTF-8. */
export const passwordBytesMax = 256

/** Bytes of a file name in UTF-8: what every file system of today takes. */
export const fileNameBytesMax = 255

/** A ticket is good for this long; a downloader renews it while it needs it. */
export const ticketLifetimeMs = 10 * 60_000

/** Outcomes of commands that a tracker remembers, so that a retry changes nothing twice. */
export const rememberedOutcomesMax = 65_536

/**
 * Tracker keys that a community honours; the oldest is forgotten first. A tracker that lost its key gets a
 * new one, and all of them are in the answer to a login: 64 are 3 KiB of `lineBytesMax`. A tracker whose
 * key is forgotten while it runs gets it back at its next start.
 */
export const trackerKeysMax = 64
