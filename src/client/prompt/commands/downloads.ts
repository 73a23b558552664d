// The commands for downloads that are running or paused, and for rate limits.

import { counted } from '../../../common/counted.ts'
import { refuse, type Answer } from '../../../common/refusal.ts'
import { noSuchDownload } from '../../answers.ts'
import type { DownloadView } from '../../operations.ts'
import type { CallFlags, PromptCommand, Reply, Surroundings } from './command.ts'
import { list, say, sayIfDone, withData, type ReplyData } from './command.ts'
import type { Line } from '../../../common/terminal/line.ts'
import { parseDuration } from '../text/durations.ts'
import { limitCommand } from './limits.ts'
import { prioritizeCommand } from './priorities.ts'
import { downloadLines, hashingLines } from '../views/tables.ts'
import { downloadsLook } from './progress.ts'
import { detailLine, downloadLine } from './replies.ts'

/** With the senders as objects, which are easier to read for programs than pairs. */
function asData({ piecesByPeer, ...download }: DownloadView): ReplyData {
  return { ...download, peers: piecesByPeer.map(([peer, pieces, way]) => ({ peer, pieces, way })) }
}

/** The words behind a command that may be left out. */
type OptionalWords = readonly (string | undefined)[]

async function waitForDownloads(
  { operations, settle, reportProgress }: Surroundings,
  [group, name]: OptionalWords,
  flags: CallFlags,
): Promise<Answer<Reply>> {
  const timeout = flags.get('--timeout')
  const timeoutMs = timeout === undefined ? undefined : parseDuration(timeout)
  if (timeoutMs?.ok === false) return timeoutMs
  const awaited = async (): Promise<DownloadView[]> =>
    (await operations.showDownloads()).filter(
      (one) =>
        (group === undefined || one.group === group) &&
        (name === undefined || one.name === name.normalize('NFC').replace(/\/+$/, '')),
    )
  if (group !== undefined && name !== undefined && (await awaited()).length === 0)
    return noSuchDownload(group, name)
  const settled = settle({ group, name, timeoutMs: timeoutMs?.value })
  reportProgress(settled, downloadsLook(awaited))
  const waited = await settled
  const downloads = await awaited()
  const running = downloads.filter(({ state }) => state === 'running')
  if (waited === 'late' && running.length > 0)
    return refuse(
      'timed-out',
      `${counted(running.length, 'download still runs', 'downloads still run')} after ${timeout}; ${running.length === 1 ? 'it goes' : 'they go'} on`,
    )
  if (waited === 'stopped' && running.length > 0)
    return withData(say('stopped waiting; downloads go on'), { running: true })
  const data = { running: running.length > 0 }
  const [one] = downloads
  if (name === undefined || one === undefined) return withData(say('no download is running'), data)
  if (one.state === 'complete') return withData(say(`${name} from ${group} is complete`), data)
  const why = one.why === undefined ? '' : `: ${one.why}`
  return refuse('busy', `${name} from ${group} is ${one.state}${why}`)
}

export const downloadCommands: readonly PromptCommand[] = [
  {
    name: 'show_downloads',
    words: '',
    summary: 'list your downloads: [D] running, [C] complete, [P] paused, [F] failed',
    examples: ['show_downloads --details'],
    flags: [{ flag: '--details', summary: 'add how far each has come, and who sent how many pieces' }],
    async run({ operations, columns }, _words, flags) {
      const downloads = await operations.showDownloads()
      const hashing = await operations.showHashing()
      const data = { downloads: downloads.map(asData), hashing }
      const hasDetails = flags.has('--details')
      if (columns !== undefined) {
        const files = hashingLines(hashing, columns)
        const lines = hasDetails
          ? [...files, ...downloads.flatMap((one) => [...downloadLines([one], columns), detailLine(one)])]
          : [...files, ...downloadLines(downloads, columns)]
        return withData(list(lines, 'no downloads'), data)
      }
      const linesOf = (one: DownloadView): Line[] =>
        hasDetails ? [downloadLine(one), detailLine(one)] : [downloadLine(one)]
      return withData(list(downloads.flatMap(linesOf), 'no downloads'), data)
    },
  },
  {
    name: 'pause_download',
    words: '<group> <name>',
    summary: 'pause a download',
    examples: ['pause_download family photo.jpg'],
    async run({ operations }, [group, name]) {
      const answer = await operations.pauseDownload(group, name)
      return withData(sayIfDone(answer, `paused ${name} from ${group}`), { group, name })
    },
  },
  {
    name: 'resume_download',
    words: '<group> <name>',
    summary: 'continue a paused or failed download',
    examples: ['resume_download family photo.jpg'],
    begins: 'download',
    async run({ operations, showReading }, [group, name]) {
      const answer = await operations.resumeDownload(group, name)
      if (answer.ok) showReading()
      return withData(sayIfDone(answer, `resumed ${name} from ${group}`), { group, name })
    },
  },
  {
    name: 'cancel_download',
    words: '<group> <name>',
    summary: 'give up a download and remove its part file',
    examples: ['cancel_download family photo.jpg'],
    async run({ operations }, [group, name]) {
      const answer = await operations.cancelDownload(group, name)
      return withData(sayIfDone(answer, `cancelled ${name} from ${group}`), { group, name })
    },
  },
  prioritizeCommand,
  {
    name: 'wait',
    words: '[group] [name]',
    summary: 'wait until no download is running: of all, of a group, or this one',
    flags: [{ flag: '--timeout <duration>', summary: 'wait no longer than this, such as 90s, 5m or 2h' }],
    waits: true,
    run: waitForDownloads,
  },
  limitCommand,
]
