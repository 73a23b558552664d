// Bounds of what a sharing client does for those who download from it; docs/limits.md names them.

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

/** What one user is answered beside pieces and manifests: enough at once for many connections that open large files. */
export const answerBytesAtOnce = 4 * 1024 * 1024
export const answerBytesPerSecond = 128 * 1024

/**
 * Pieces in memory at once, being read or sent: 16 MiB, however many peers there are. Peers known to be slow are given
 * no more while they hold `heldBySlowMax` of them. The difference is for those who read, or have yet to show that they
 * do. When slow ones hold that too, since they turned slow with it, those are cut that take nothing at all.
 */
export const heldMax = 32
export const heldBySlowMax = 24
/** Of them, what the slow peers of one user hold. */
export const slowOfOwnerMax = 6
