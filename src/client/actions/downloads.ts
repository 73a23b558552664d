// What a client does about its downloads, and about the rates of all transfers.

import { notLoggedIn } from '../answers.ts'
import type { DownloadOperations } from '../operations.ts'
import type { Core } from './core.ts'

export function downloadActions({ session, limits }: Core): DownloadOperations {
  const downloads = () => session()?.downloads
  return {
    showDownloads: async () => downloads()?.views() ?? [],
    pauseDownload: async (group, name) => downloads()?.pause(group, name.normalize('NFC')) ?? notLoggedIn(),
    resumeDownload: async (group, name) =>
      downloads()?.resumeOne(group, name.normalize('NFC')) ?? notLoggedIn(),
    cancelDownload: async (group, name) => downloads()?.cancel(group, name.normalize('NFC')) ?? notLoggedIn(),
    setLimit: async (rule) => limits.set(rule),
    listLimits: async () => limits.rules,
    downloadsSettled: async ({ name, ...which } = {}) =>
      downloads()?.settled({ ...which, name: name?.normalize('NFC') }) ?? true,
  }
}
