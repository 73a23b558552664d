// The commands for downloads that are running or paused, and for rate limits.

import { refuse } from '../../../common/refusal.ts'
import type { DownloadView } from '../../operations.ts'
import type { PromptCommand } from './command.ts'
import { list, say, sayIfDone } from './command.ts'
import type { Line } from '../text/line.ts'
import { formatRate, parseRate } from '../text/rates.ts'
import { detailLine, downloadLine } from './replies.ts'

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
      return list(downloads.flatMap(linesOf), 'no downloads')
    },
  },
  {
    name: 'pause_download',
    words: '<group> <name>',
    summary: 'pause a download',
    async run({ operations }, [group, name]) {
      return sayIfDone(await operations.pauseDownload(group, name), `paused ${name} from ${group}`)
    },
  },
  {
    name: 'resume_download',
    words: '<group> <name>',
    summary: 'go on with a paused or failed download',
    begins: 'download',
    async run({ operations }, [group, name]) {
      return sayIfDone(await operations.resumeDownload(group, name), `resumed ${name} from ${group}`)
    },
  },
  {
    name: 'cancel_download',
    words: '<group> <name>',
    summary: 'give a download up and remove its part file',
    async run({ operations }, [group, name]) {
      return sayIfDone(await operations.cancelDownload(group, name), `cancelled ${name} from ${group}`)
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
      return say(running ? 'stopped waiting; downloads go on' : 'no download is running')
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
      return say(
        limit.value === undefined
          ? `${direction} is not limited`
          : `${direction} limited to ${formatRate(limit.value)} bytes a second`,
      )
    },
  },
]
