// What a client does about its downloads, and about the rates of all transfers.

import { accept } from '../../common/refusal.ts'
import { notLoggedIn } from '../answers.ts'
import type { DownloadOperations } from '../operations.ts'
import type { Core } from './core.ts'
import { spellingOf } from './entry-path.ts'

export function downloadActions({ session, limits }: Core): DownloadOperations {
  const downloads = () => session()?.downloads
  return {
    showDownloads: async () => downloads()?.views() ?? [],
    pauseDownload: async (group, name) => downloads()?.pause(group, spellingOf(name)) ?? notLoggedIn(),
    resumeDownload: async (group, name) => downloads()?.resumeOne(group, spellingOf(name)) ?? notLoggedIn(),
    cancelDownload: async (group, name) => downloads()?.cancel(group, spellingOf(name)) ?? notLoggedIn(),
    prioritize: async (group, name, priority) =>
      downloads()?.prioritize(group, spellingOf(name), priority) ?? notLoggedIn(),
    async setLimit(rule) {
      if (rule.entry !== undefined) {
        const [group, name] = [rule.entry.group, spellingOf(rule.entry.name)]
        const open = session()
        if (open === undefined) return notLoggedIn()
        return rule.direction === 'upload'
          ? open.limitUploads(group, name, rule.bytesPerSecond)
          : open.downloads.limit(group, name, rule.bytesPerSecond)
      }
      limits.set(rule)
      return accept(undefined)
    },
    async listLimits() {
      const open = session()
      const ofEntries = open === undefined ? [] : [...open.downloads.limits(), ...open.uploadLimits()]
      return [...limits.rules, ...ofEntries]
    },
    downloadsSettled: async ({ name, ...which } = {}) =>
      downloads()?.settled({ ...which, name: name === undefined ? undefined : spellingOf(name) }) ?? true,
  }
}
