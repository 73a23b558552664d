// The commands that show what goes on: uploads, and a view that renews itself.

import { counted } from '../../../common/counted.ts'
import { accept, refuse, type Answer } from '../../../common/refusal.ts'
import type { EntryView, Operations } from '../../operations.ts'
import { percentOf } from '../text/amounts.ts'
import type { Line, ScreenSize } from '../../../common/terminal/line.ts'
import { downloadLines, hashingLines, uploadLines } from '../views/tables.ts'
import { entryLines, entryProgress, isSettled } from '../views/entry.ts'
import type { PromptCommand, Reply, Surroundings } from './command.ts'
import { list, withData } from './command.ts'

const leaving: Line = { text: 'q or Ctrl-C leaves; transfers go on', tone: 'faint' }
/** What is watched in a pipe is looked at this often, … */
const lookEveryMs = 1000
/** … and said after this long, or when it has come on by a tenth. */
const sayEveryMs = 10_000
const sayEveryPercent = 10

export const seeingCommands: readonly PromptCommand[] = [
  {
    name: 'show_uploads',
    words: '',
    summary: 'list who fetches what from you, and how fast',
    async run({ operations, columns }) {
      const uploads = await operations.showUploads()
      const lines =
        columns === undefined
          ? uploads.map(({ peer, group, name, sentBytes, bytesPerSecond }) => ({
              text: `[${group}] ${name}  ${peer}  ${counted(sentBytes, 'byte')}  ${Math.round(bytesPerSecond)} bytes/s`,
            }))
          : uploadLines(uploads, columns)
      return withData(list(lines, 'nobody fetches anything from you'), { uploads })
    },
  },
  {
    name: 'watch',
    words: '[group] [name]',
    summary: 'watch all transfers, or the pieces and peers of one file until everybody online has it',
    waits: true,
    async run(surroundings, [group, name]: readonly (string | undefined)[]) {
      if (group === undefined) return watchAll(surroundings)
      if (name === undefined)
        return refuse('usage', 'watch needs a group and a name, or neither: watch [group] [name]')
      return watchEntry(surroundings, group, name)
    },
  },
]

async function watchEntry(
  { operations, showLive, sayProgress, interrupted }: Surroundings,
  group: string,
  name: string,
): Promise<Answer<Reply>> {
  let last: Answer<EntryView> = await operations.inspect(group, name)
  if (!last.ok) return last
  let width = endSize.columns
  const look = async (): Promise<EntryView | undefined> => {
    last = await operations.inspect(group, name)
    return last.ok && !isSettled(last.value) ? last.value : undefined
  }
  if (showLive === undefined) {
    const left = new AbortController()
    const said = sayNowAndThen(look, sayProgress, left.signal)
    await Promise.race([said, interrupted()])
    left.abort()
  } else
    await showLive(async (size) => {
      width = Math.min(width, size.columns)
      const entry = await look()
      return entry === undefined ? undefined : [...entryLines(entry, lessOne(size)), leaving]
    })
  const seen = last as Answer<EntryView>
  if (!seen.ok) return seen
  const lines =
    showLive === undefined
      ? [{ text: entryProgress(seen.value) }]
      : entryLines(seen.value, { ...endSize, columns: width })
  return accept({ lines, data: { entry: seen.value } })
}

/** What stays on the screen is not cut by its height. */
const endSize: ScreenSize = { columns: 100, rows: 60 }

function lessOne({ columns, rows }: ScreenSize): ScreenSize {
  return { columns, rows: Math.max(2, rows - 1) }
}

async function sayNowAndThen(
  look: () => Promise<EntryView | undefined>,
  sayProgress: (sentence: string) => void,
  left: AbortSignal,
): Promise<void> {
  let saidAtMs = Number.NEGATIVE_INFINITY
  let saidPercent = 0
  for (;;) {
    const entry = await look()
    if (entry === undefined || left.aborted) return
    const percent = percentOf(entry.piecesDone, entry.pieceCount)
    const nowMs = performance.now()
    if (nowMs - saidAtMs >= sayEveryMs || percent - saidPercent >= sayEveryPercent) {
      sayProgress(entryProgress(entry))
      saidAtMs = nowMs
      saidPercent = percent
    }
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs))
  }
}

async function watchAll({ operations, showLive, columns }: Surroundings): Promise<Answer<Reply>> {
  if (showLive !== undefined)
    await showLive(async (size) => {
      const lines = await transferLines(operations, size.columns)
      if (lines === undefined) return undefined
      const shown = lines.slice(0, Math.max(1, size.rows - 2))
      const more = lines.length - shown.length
      return [
        ...shown,
        ...(more > 0 ? [{ text: `and ${counted(more, 'more line')}: show_downloads` }] : []),
        leaving,
      ]
    })
  const downloads = await operations.showDownloads()
  const running = downloads.filter(({ state }) => state === 'running').length
  const uploads = await operations.showUploads()
  const text = `${counted(running, 'download')} running, ${counted(uploads.length, 'upload')}`
  return accept({
    lines:
      columns === undefined || running + uploads.length > 0
        ? [{ text }]
        : [{ text: 'no transfer is running' }],
    data: { running, uploads: uploads.length },
  })
}

/** Undefined when nothing is under way. */
async function transferLines(operations: Operations, columns: number): Promise<Line[] | undefined> {
  const [hashing, downloads, uploads] = await Promise.all([
    operations.showHashing(),
    operations.showDownloads(),
    operations.showUploads(),
  ])
  const running = downloads.filter(({ state }) => state === 'running')
  if (hashing.length + running.length + uploads.length === 0) return undefined
  return [
    ...hashingLines(hashing, columns),
    ...downloadLines(running, columns),
    ...(uploads.length === 0 ? [] : [{ text: 'others fetch from you:', tone: 'faint' as const }]),
    ...uploadLines(uploads, columns),
  ]
}

/** Who is still fetching, as one sentence; undefined for nobody. */
export async function stillFetching(operations: Operations): Promise<string | undefined> {
  const uploads = await operations.showUploads()
  const [first] = uploads
  if (first === undefined) return undefined
  const users = [...new Set(uploads.map(({ user }) => user))]
  const names = new Set(uploads.map(({ group, name }) => `${group} ${name}`))
  const who =
    users.length <= 3 ? listOf(users) : `${users.slice(0, 2).join(', ')} and ${users.length - 2} others`
  const what = names.size === 1 ? first.name : counted(names.size, 'file')
  const verb = users.length === 1 ? 'was' : 'were'
  return `${who} ${verb} still fetching ${what}; they get the rest from others, or when you log in again`
}

function listOf(names: readonly string[]): string {
  return [names.slice(0, -1).join(', '), names.at(-1)].filter(Boolean).join(' and ')
}
