// Bounds that concern the tracker alone; those that both programs share are in common/limits.ts.

/** Commands that may wait for the log at once; beyond this a tracker answers `busy` instead of growing. */
export const commandsWaitingMax = 16_384

/**
 * How long after an append that worked an earlier one may still turn up: of a process that was killed, or one that
 * failed. Servers of NATS pass a message on within seconds.
 */
export const doubtMs = 60_000

/**
 * Calls in a minute by which one client asks another to dial it: of one user to another, of one user, and to one user. A
 * download calls a peer once, and once more for a relay; a crowd behind routers calls its only seeder at once.
 */
export const callsOfPairPerMinute = 20
export const callsOfUserPerMinute = 120
export const callsToUserPerMinute = 600

/**
 * Looking for clients from outside: how long a try may take, how many run at once, how many one network may have running or
 * waiting, how many wait, how long an outcome is good and no other try goes there, and how many are remembered.
 */
export const probeTimeoutMs = 3_000
export const probesAtOnce = 64
export const probesOfNetworkMax = 8
export const probesWaitingMax = 1_024
export const probeGoodForMs = 60_000
export const probesRememberedMax = 10_000

/** How the tracker's time is shared out. */
export const fairness = {
  /** Changes of one user that may wait for the log at once; further ones wait in their connections. */
  changesOfOwnerMax: 512,
  /** Changes of all users likewise: somebody else's change waits behind them. */
  changesMax: 2048,
  /** How long requests are served before the event loop gets its turn; a ping may wait this long. */
  sliceMs: 4,
  /** Work that each user gets in a round: a few cheap requests or one expensive one. */
  quantumMicroseconds: 250,
}

/**
 * Files that all clients of one user watch at once, and that they announce: each takes up to two kilobytes, and half of
 * one.
 */
export const watchedOfUserMax = 20_000
export const announcedOfUserMax = 200_000

/**
 * Notices that wait for one login to read. Each takes a hundred bytes; whoever shares a hundred thousand files may have
 * as many at once, and reads on.
 */
export const noticesWaitingMax = 120_000

/** Clients of one user that are listed for a file: one person's machines, but no crowd that one person makes up. */
export const peersOfUserMax = 8

/**
 * Milliseconds between two rounds of swarm news: per watcher, at least, and at most. A round costs more with more
 * watchers; a few watchers should find each other soon.
 */
export const newsPaceMsPerWatcher = 5
export const newsPaceMinMs = 50
export const newsPaceMaxMs = 1_000

/**
 * Commands between two snapshots. A snapshot writes what they changed in one go, which takes a few milliseconds for
 * this many, however large the state is.
 */
export const commandsPerSnapshot = 2_000

/** At level 1, where a snapshot is the whole state: replaying this many takes a fraction of a second. */
export const commandsPerLegacySnapshot = 50_000

/**
 * Entries that stay in the log behind a snapshot, so that a tracker slightly behind the one that took it can read
 * what it lacks instead of starting over from the snapshot.
 */
export const entriesKeptBehindSnapshot = 10_000

/** How often a tracker without requests looks for entries of others. A look costs 3 µs. */
export const followEveryMs = 25

/**
 * How long one try for the lock may block the process: SQLite sleeps while it waits, longer each time. With 200 ms,
 * one of three trackers that all wrote without a pause waited 1.1 s for its turn, and its clients saw stalls of half
 * a second; with 1 ms the worst was 0.1 s, and all got the same share.
 */
export const lockTimeoutMs = 1
/** How long to try for the lock, between turns: a program that copies the file may hold it for seconds. */
export const lockPatienceMs = 8_000

/** How often a tracker without writes checks that its data file is still in place. */
export const lookForFileEveryMs = 1_000

/**
 * Failed attempts per minute to log in, or to register a name that is taken: from one address for one user, from one
 * address for any users, and for one user from anywhere. Behind one address may be a school whose people mistype; on
 * loopback, many tests. Fifty guesses a minute find no decent password.
 */
export const failedAttemptsOfPairPerMinute = 5
export const failedAttemptsOfNetworkPerMinute = 60
export const failedAttemptsOfLoopbackPerMinute = 600
export const failedAttemptsOfUserPerMinute = 50

/**
 * Likewise for an IPv6 site (/48), which has 65,536 networks: a whole university mistypes, and what one site adds to
 * the networks that are counted is a part of them.
 */
export const failedAttemptsOfSitePerMinute = 600

/** Networks, and sites, whose failed attempts are counted separately; further ones share one count. */
export const countedNetworksMax = 10_000

/** Recent login keys remembered per user: as many as a person has machines. */
export const knownKeysOfUserMax = 8

/**
 * Bytes of commands in one append: 700 of usual length. An append to NATS is one message, of at most 1 MiB unless the
 * server is configured otherwise, and quoting its entries in JSON at most doubles them.
 */
export const appendBytesMax = 256 * 1024

/**
 * Commands in one append. Applying them takes a hundredth of a second, which a ping may have to wait; more would
 * hardly make the flush cheaper per command.
 */
export const appendCommandsMax = 256

/** The message size that NATS must accept: an append, quoted, and its headers. */
export const natsMessageBytesMax = 2 * appendBytesMax + 1024

/** How long a starting tracker waits for NATS servers, which may be starting or electing a leader. */
export const natsStartPatienceMs = 30_000

/** How long to wait for a NATS server to accept a connection, and then to answer a request. */
export const natsConnectTimeoutMs = 2_000
export const natsRequestTimeoutMs = 1_000

/** A cut connection gives no sign; after this many unanswered pings another server is tried. */
export const natsPingEveryMs = 1_000
export const natsPingsMissedMax = 2

/** A server's first line, of 500 bytes and 30 for each other server that it knows. */
export const natsGreetingBytesMax = 64 * 1024

/** The pause between two tries. */
export const natsPauseMs = 100

/** How long an append is retried: a new leader is there after 4 to 9 s, and a client waits 10 s for an answer. */
export const natsAppendPatienceMs = 9_000
/** The same without a connection: nothing is in doubt, and a client should try another tracker soon. */
export const natsDownPatienceMs = 1_000

/** How long a read waits to hear what is in the log; then it is answered from the state here. */
export const natsReadPatienceMs = 500

/** How often a tracker asks what is in the log, in case news from others was lost. */
export const natsLookEveryMs = 1_000

/** Messages asked for at once while catching up: 16 MiB of commands when all are full. */
export const natsReadsAtOnce = 64

/**
 * How long the log may seem to have lost messages before that is believed. A leader that was just elected or replaced
 * may briefly know less than was read already.
 */
export const natsDoubtMs = 10_000

/** How long a log must have less than this tracker saved there, for a whole snapshot to be saved anew. */
export const lossBelievedMs = 10_000

/** The bytes of a part of a snapshot, which is one message, and how many parts are written at once. */
export const natsPartBytes = 512 * 1024
export const natsPartsAtOnce = 4

/** Changes are merged into their snapshot when they are as long as it is, and at least this long. */
export const natsMergeMinBytes = 1024 * 1024

/** How often reading a snapshot is tried, since it may be replaced meanwhile; after that it counts as damaged. */
export const natsSnapshotTriesMax = 5

/**
 * Connections to this tracker. One that has not begun to log in makes room for one that wants to. A login takes a
 * fraction of a second, most of it in the client, and longer on a slow one. A whole school may connect from one
 * address at once, and many tests from loopback.
 */
export const connectionLimits = {
  unheard: 0,
  waiting: 0,
  unproven: 1024,
  unprovenOfNetwork: 64,
  unprovenOfLoopback: 256,
  begunGraceMs: 10_000,
  /** Longer than a login takes; whoever holds 64 places has to begin 40 logins a second. */
  crowdedGraceMs: 1_500,
  /**
   * When all come back at once, no more handshakes begin than clients can follow, or they would have to wait so long for
   * each other that most lose their places. 64 a round trip are more than the processor can do; and 256 a second begin
   * where nobody finishes.
   */
  handshakePace: { unfinished: 64, countsForMs: 250 },
  /** For sharing clients only: a ticket was shown, but its key is not proved yet. */
  claimed: 0,
  claimedOfOwner: 0,
  /** One person's machines. */
  ofOwner: 64,
  proven: 65_536,
  /** A connection takes about 20 KiB. */
  all: 65_536,
}

/** Refused logins that get a line in the audit, each second; a flood of them must not push out everything else. */
export const auditLoginsPerSecond = 10
