// How long trackers are waited for.

/**
 * How long a tracker may take to answer before the next one is asked. Commits take milliseconds, but a
 * snapshot of a big community takes a second. The last usable tracker has `requestTimeoutMs`.
 */
export const answerWithinMs = 2500
