// The commands for downloads that are running or paused, and for rate limits.

import { refuse } from '../../../common/refusal.ts'
import type { DownloadView } from '../../operations.ts'
import type { PromptCommand } from './command.ts'
import { list, say, sayIfDone, withData, type ReplyData } from './command.ts'
import type { Line } from '../text/line.ts'
import { formatRate, parseRate } from '../text/rates.ts'
import { detailLine, downloadLine } from './replies.ts'

/** With the senders as objects, which are easier to read for programs than pairs. */
function asData({ piecesByPeer, ...download }: DownloadView): ReplyData {
  return { ...download, peers: piecesByPeer.map(([peer, pieces]) => ({ peer, pieces })) }
}

export const downloadCommands: readonly PromptCommand[] = [
  {
    name: 'show_downloads',
    words: '',
    summary: 'list them: [D] runs, [C] complete, [P] paused, [F] failed',
    flags: [{ flag: '--details', summary: 'with the progress of each, and who sent how many pieces' }],
    async run({ operations }, _words, flags) {
      const downloads = await operations.showDownloads()
      const linesOf = flags.has('--details')
        ? (download: DownloadView): Line[] => [downloadLine(download), detailLine(download)]
        : (download: DownloadView): Line[] => [downloadLine(download)]
      return withData(list(downloads.flatMap(linesOf), 'no downloads'), { downloads: downloads.map(asData) })
    },
  },
  {
    name: 'pause_download',
    words: '<group> <name>',
    summary: 'pause a download',
    async run({ operations }, [group, name]) {
      const answer = await operations.pauseDownload(group, name)
      return withData(sayIfDone(answer, `paused ${name} from ${group}`), { group, name })
    },
  },
  {
    name: 'resume_download',
    words: '<group> <name>',
    summary: 'go on with a paused or failed download',
    begins: 'download',
    async run({ operations }, [group, name]) {
      const answer = await operations.resumeDownload(group, name)
      return withData(sayIfDone(answer, `resumed ${name} from ${group}`), { group, name })
    },
  },
  {
    name: 'cancel_download',
    words: '<group> <name>',
    summary: 'give a download up and remove its part file',
    async run({ operations }, [group, name]) {
      const answer = await operations.cancelDownload(group, name)
      return withData(sayIfDone(answer, `cancelled ${name} from ${group}`), { group, name })
    },
  },
  {
    name: 'wait',
    words: '',
    summary: 'wait until no download runs',
    waits: true,
    async run({ operations, settle }) {
      await settle()
      const downloads = await operations.showDownloads()
      const running = downloads.some(({ state }) => state === 'running')
      return withData(say(running ? 'stopped waiting; downloads go on' : 'no download is running'), {
        running,
      })
    },
  },
  {
    name: 'limit',
    words: '<upload|download> <rate>',
    summary: 'bytes a second of all transfers: 512K, 4M, none',
    async run({ operations }, [direction, rate]) {
      if (direction !== 'upload' && direction !== 'download')
        return refuse(
          'usage',
          `"${direction}" is neither upload nor download: limit <upload|download> <rate>`,
        )
      const limit = parseRate(rate)
      if (!limit.ok) return limit
      await operations.setLimit(direction, limit.value)
      const text =
        limit.value === undefined
          ? `${direction} is not limited`
          : `${direction} limited to ${formatRate(limit.value)} bytes a second`
      return withData(say(text), { direction, bytesPerSecond: limit.value ?? null })
    },
  },
]
