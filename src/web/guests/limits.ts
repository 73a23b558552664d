// The bounds of the server for guests. Anybody in the Internet may reach it.

export const guestLimits = {
  /** Connections; the oldest without a transfer makes room. */
  connections: 256,
  /** Of one network, which is an IPv4 address or the 64 bits of an IPv6 one; a browser opens six. */
  connectionsOfNetwork: 16,
  handshakeWithinMs: 10_000,
  headersWithinMs: 10_000,
  headerBytes: 8 * 1024,
  headers: 64,
  /** A connection on which nothing moves is closed; one that waits for its turn to be sent something too. */
  silentMs: 300_000,
  /** Without a request. */
  idleMs: 5_000,
  /** Requests on one connection, one behind the other. */
  requestsOfConnection: 1000,
  /** Requests a second of one network; what comes faster waits. */
  requestsOfNetworkPerSecond: 20,
  /** Transfers at a time; each holds a piece or two in memory. */
  transfers: 32,
  transfersOfNetwork: 8,
  /** Files that the page of a folder lists. */
  listedFiles: 1000,
} as const
