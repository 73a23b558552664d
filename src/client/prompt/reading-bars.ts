// A bar above the prompt for each file that is read through: hashed to be shared, or verified. Looks only while something
// may be read, since nobody tells when that begins.

import type { DownloadView, Operations } from '../operations.ts'
import { Waker, type LiveScreen } from './live-view.ts'
import type { Line } from '../../common/terminal/line.ts'
import { downloadLines, hashingLines } from './views/tables.ts'

const everyMs = 1000
/** What is done sooner shows no bar. */
const firstAfterMs = 700
/** A manifest may have to be fetched first. */
const lookoutMs = 5000
/** More would push what the person sees off the screen. */
const barsMax = 5

export class ReadingBars {
  readonly #screen: LiveScreen
  readonly #operations: Operations
  readonly #owner = Symbol('reading')
  readonly #waker = new Waker()
  readonly #works = new Set<Promise<unknown>>()
  #lookoutEndsAtMs = 0
  #isShown = false
  #running: Promise<void> | undefined

  constructor(screen: LiveScreen, operations: Operations) {
    this.#screen = screen
    this.#operations = operations
  }

  /**
   * Something begins that may read files; `work` ends with it. Resolves when nothing is read any more. Rejects as the
   * operations do.
   */
  begin(work?: Promise<unknown>): Promise<void> {
    this.#lookoutEndsAtMs = Math.max(this.#lookoutEndsAtMs, performance.now() + (work ? 0 : lookoutMs))
    if (work !== undefined) {
      this.#works.add(work)
      const onEnd = (): void => {
        this.#works.delete(work)
        this.#waker.wake()
      }
      work.then(onEnd, onEnd)
    }
    this.#running ??= this.#run()
    return this.#running
  }

  async #run(): Promise<void> {
    try {
      await this.#waker.within(firstAfterMs)
      for (;;) {
        const lines = await readingLines(this.#operations, this.#screen.size.columns)
        this.#show(lines)
        const mayBegin = this.#works.size > 0 || performance.now() < this.#lookoutEndsAtMs
        if (lines.length === 0 && !mayBegin) return
        await this.#waker.within(everyMs)
      }
    } finally {
      this.#running = undefined
      this.#show([])
    }
  }

  /** Nothing is drawn for nothing. */
  #show(lines: readonly Line[]): void {
    if (lines.length > 0 || this.#isShown) this.#screen.showLive(this.#owner, lines)
    this.#isShown = lines.length > 0
  }
}

async function readingLines(operations: Operations, columns: number): Promise<Line[]> {
  const [hashing, downloads] = await Promise.all([operations.showHashing(), operations.showDownloads()])
  const verifying = downloads.filter(isVerifying)
  const more = hashing.length + verifying.length - barsMax
  const shown = hashing.slice(0, barsMax)
  return [
    ...hashingLines(shown, columns),
    ...downloadLines(verifying.slice(0, barsMax - shown.length), columns),
    ...(more > 0 ? [{ text: `and ${more} more`, tone: 'faint' as const }] : []),
  ]
}

function isVerifying({ verifying }: DownloadView): boolean {
  return verifying !== undefined
}
