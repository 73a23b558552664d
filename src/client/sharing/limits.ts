// Bounds of what a sharing client does for its downloaders; docs/limits.md names them.

/** How the time of the event loop is shared out between downloaders. */
export const fairness = {
  quantumMicroseconds: 250,
  sliceMs: 2,
  // Nothing that a downloader asks for changes hard state.
  changesOfOwnerMax: 1,
}

/** Files that may be open on one connection. A downloader opens one. */
export const openedFilesMax = 16

/**
 * Pieces of all files that one user's peers may want at once: 512 GiB. Each takes about ten bytes, and a member could
 * want the files of a whole group.
 */
export const wantedOfOwnerMax = 2 ** 20

/** Bytes answered to one user, besides pieces and manifests: enough for many connections that open large files. */
export const answerBytesAtOnce = 4 * 1024 * 1024
export const answerBytesPerSecond = 128 * 1024

/**
 * Pieces in memory at once, being read or sent: 16 MiB, however many peers there are. Slow peers get no more while
 * they hold `heldBySlowMax` of them; the rest is for peers that read, or have yet to show that they do. When peers
 * that turned slow later hold the rest too, those that take nothing at all are disconnected.
 */
export const heldMax = 32
export const heldBySlowMax = 24
/** Besides those: pieces of entries with a limit of their own, one of each, which may take any time to send. */
export const heldByEntriesMax = 8
/**
 * Of the others, the most that the slow peers of one user hold: as many connections as a client asks a far one on. While
 * nobody else wants any, what such a connection was given when it was prompt counts as one.
 */
export const slowOfOwnerMax = 8

/** Recipes that are being made or wait for that: each reads a whole content, one after the other. */
export const recipesWaitingMax = 8
