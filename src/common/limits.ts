// The bounds common to both programs, each with its reason. Everything from outside is bounded.

const KiB = 1024
const MiB = 1024 * KiB

/** A piece, the unit of transfer and verification, in bytes. The last piece of a file may be shorter. */
export const pieceBytes = 512 * KiB

/** The most pieces of a file: 128 GiB, whose manifest still fits in `manifestBytesMax`. */
export const pieceCountMax = 262_144

/** The most bytes of a manifest, checked before a buffer is allocated for it. */
export const manifestBytesMax = 16 * MiB

/** Likewise of a recipe: a larger content has larger blocks. */
export const recipeBytesMax = 16 * MiB

/** Parts of a piece are asked for in multiples of this, in bytes. The smallest block of a recipe. */
export const rangeBytes = 4 * KiB

/** The longest line before login: room for a `hello` with a ticket or a SCRAM message, and little else. */
export const lineBytesBeforeLogin = 4 * KiB

/** The longest line after login: room for a page of a listing (`pageEntries`) or a batch of announces. */
export const lineBytesMax = 64 * KiB

/** Entries per page of a listing: 100 of the longest file names stay under `lineBytesMax`. */
export const pageEntries = 100

/** Files in one `announce` that a tracker takes. */
export const announceFilesMax = 100

/** Files in one `announce` that a client sends: 90 of the longest file names stay under `lineBytesMax`. */
export const announceBatchFiles = 90

/** Addresses on its own networks that a client tells: a cable, a radio, each with both kinds of addresses. */
export const localHostsMax = 4

/**
 * What a program forwards for others. A connection takes up to 160 KiB while it does; one user's may be those of a whole
 * download from members behind routers. Honest connections are pinged in time, and come again when they are cut.
 */
export const relayLimits = {
  pairs: 512,
  pairsOfUser: 64,
  /** Both ends dial at once. */
  comeWithinMs: 10_000,
  idleMs: 60_000,
  lifetimeMs: 24 * 60 * 60_000,
}

/**
 * What waits in a connection that was accepted, in each direction, before Node stops reading or says that its end is
 * behind. Node 20 has this by default, newer ones four times as much; `relayLimits` counts on it.
 */
export const socketBufferBytes = 16 * KiB

/** Pairs between which a member's client forwards: each takes two of the 1024 descriptors that programs usually have. */
export const relayPairsOfClient = 128

/** The longest beginning of a TLS handshake: room for several key shares, also of the kinds to come. */
export const firstFlightBytesMax = 8 * KiB

/** The first line must arrive within this time, so that silent connections are soon gone. */
export const firstLineTimeoutMs = 10_000

/** An idle connection is pinged after this time … */
export const pingAfterMs = 30_000
/** … and given up after this long without a byte from the other end. */
export const deadAfterMs = 90_000

/**
 * After so long without a byte the system asks the other end, once a second, whether it is there; without ten answers the
 * connection is broken. So a connection through a router that is off, or has forgotten it, is known to be dead after
 * 20 seconds, and no router forgets one for its silence. It costs neither program any time.
 */
export const keepAliveAfterMs = 10_000

/** How long a request may take before it fails with `timeout`. Commits take milliseconds. */
export const requestTimeoutMs = 10_000

/** How long a TCP connection may take to open. */
export const connectTimeoutMs = 5_000

/**
 * Message bytes that may wait unsent before a slow reader counts as behind. Then none of its requests begin, and it is
 * told no news; only requests under way can still add answers, of at most 64 KiB each.
 */
export const unsentBytesMax = 256 * KiB
/** Likewise between clients, where connections are many: one or two of the longest answers. */
export const unsentToPeerBytesMax = 64 * KiB
/** A reader has caught up when only this share of it waits. Above 0, or the line would idle between two turns. */
export const drainedShare = 0.25

/** A connection that reads none of its waiting output for this long is closed. Any progress keeps it open. */
export const stalledAfterMs = 10_000
/**
 * Likewise for a receiver of pieces. The system buffers up to 4 MiB for it and takes more only when a third of that is
 * gone: a reader at 10 KiB/s shows no progress for two minutes.
 */
export const stalledInPiecesAfterMs = 300_000

/** Requests of one connection in flight at once; beyond that, reading from it pauses. */
export const requestsInFlightMax = 64

/** Likewise for the cost of its waiting requests, in microseconds: reading more would take about as long. */
export const waitingCostMax = 1000

/** Piece requests queued for one peer. At 512 KiB each, 8 MiB: a second of a fast home line. */
export const pieceRequestsQueuedMax = 16

/**
 * Connections that a client's peer server accepts: together fewer than the 1024 descriptors that programs usually have.
 * A downloader shows its ticket at once and proves its key a round trip later. One user may fetch on several machines,
 * each with a connection for every file.
 */
export const peerConnectionLimits = {
  unheard: 256,
  /** Answering all of them takes 50 ms. */
  waiting: 128,
  /** At 3000 newcomers a second, one that is too busy to speak at once keeps its place for 80 ms. */
  unproven: 256,
  unprovenOfNetwork: 256,
  unprovenOfLoopback: 256,
  /** None: a peer that shows a ticket moves to a `claimed` place. */
  begunGraceMs: 0,
  crowdedGraceMs: 0,
  claimed: 64,
  claimedOfOwner: 16,
  proveWithinMs: 5_000,
  ofOwner: 64,
  proven: 200,
  all: 1024,
}

/** Peers that one download talks to at once, and peers in one answer of a tracker. */
export const peersPerFileMax = 50

/** How long a connection that is turned away has to read why. */
export const turnedAwayMs = 1_000

/** SCRAM iterations for new passwords, and the range that a client accepts from a tracker. */
export const scramIterations = 600_000
export const scramIterationsMin = 100_000
export const scramIterationsMax = 2_000_000

/** Bytes of a password in UTF-8. */
export const passwordBytesMax = 256

/** Bytes of a file name in UTF-8: what every current file system accepts. */
export const fileNameBytesMax = 255

/** Files and empty folders in a folder that is shared. */
export const treeFilesMax = 1_000_000

/** Bytes of a tree as it travels, where a path repeats nothing of the one before: a million entries take 20 to 60 MiB. */
export const treeBytesMax = 64 * MiB

/** Bytes of all its paths written out: a short tree may stand for very many of them. */
export const treePathBytesMax = 256 * MiB

/** Bytes of one path in UTF-8, as on Linux, and how many names it may have. */
export const pathBytesMax = 4096
export const pathDepthMax = 64

/** Contents that a name had before, of which it is remembered when they came and from whom. */
export const earlierVersionsMax = 15

/** A ticket is valid for this long; a downloader renews it while it needs it. */
export const ticketLifetimeMs = 10 * 60_000

/** A session, with which a client logs in again without the password; a client that uses it gets a new one in time. */
export const sessionLifetimeMs = 30 * 24 * 60 * 60_000

/**
 * Tracker keys that a community honours; the oldest is forgotten first. A tracker that lost its key makes a
 * new one, and the answer to a login lists them all: 64 take 3 KiB of `lineBytesMax`. A running tracker
 * whose key is forgotten registers it again at its next start.
 */
export const trackerKeysMax = 64
