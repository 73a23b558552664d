// The bounds of the page server. Only programs of this machine reach it, some of them of other users.

export const pageLimits = {
  /** How long a link can be opened. */
  linkLifetimeMs: 120_000,
  /** Links that are good at the same time; the oldest goes for a new one. */
  links: 16,
  /** Browsers that are known at the same time; the one that has been silent for longest goes for a new one. */
  browsers: 64,
  /** Connections that have not shown a cookie; the oldest makes room. */
  strangers: 32,
  /** Connections that have; a browser opens six. Further ones count as the others do. */
  known: 128,
  /** Requests a second; what comes faster waits. */
  strangersPerSecond: 100,
  knownPerSecond: 500,
  headersWithinMs: 10_000,
  headerBytes: 16 * 1024,
  /** What operations are given; a list of words, never a file. */
  bodyBytes: 1024 * 1024,
  bodyWithinMs: 10_000,
  /** Under way at a time, of all pages together. */
  operations: 64,
  /** That are asked for by one request. */
  operationsTogether: 8,
  /** Pages that listen for events: one tab of each browser. */
  eventStreams: 32,
  /** What one of them may leave unread, besides what the system holds for it. */
  unreadEventBytes: 256 * 1024,
  /** Files that are sent at a time; each holds a piece or two. */
  fileStreams: 64,
  /** Files that are dropped at a time; each is hashed afterwards. */
  drops: 8,
  /** A dropped file of which nothing comes for so long is given up. */
  dropSilenceMs: 60_000,
} as const
