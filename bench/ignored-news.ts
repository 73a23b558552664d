// For clients of a benchmark that do nothing with what a tracker tells them.

import type { Told } from '../src/client/tracker-link/tracker-connection.ts'

/** Takes every notification and ignores it. */
export const ignoredNews = new Proxy({}, { get: () => () => undefined }) as Told
