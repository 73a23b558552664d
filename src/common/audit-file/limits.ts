// The bounds of the files of an audit.

/**
 * The size of a file of the audit, a week of a busy community, and how many old ones are kept. A line takes 150 to 600
 * bytes.
 */
export const auditFileBytesMax = 64 * 1024 * 1024
export const auditFilesKept = 4

/** Lines of the audit that wait for the disk. At a start, all that a log holds behind its snapshot may come at once. */
export const auditBytesWaitingMax = 16 * 1024 * 1024
export const auditBytesAtOnce = 256 * 1024

/** The pause after a failed write to the audit, and how long an ending program waits for the last one. */
export const auditRetryMs = 1_000
export const auditClosePatienceMs = 2_000
