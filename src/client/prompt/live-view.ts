// Lines that stand above the prompt and are replaced again and again: a view that has the terminal until the person leaves
// it.

import type { Key } from 'node:readline'
import type { Look } from './commands/command.ts'
import type { Line, ScreenSize } from '../../common/terminal/line.ts'

/** What a live view needs of a terminal. */
export interface LiveScreen {
  readonly size: ScreenSize
  /** Replaces the lines of this owner; none take them away. */
  showLive(owner: symbol, lines: readonly Line[]): void
  /** Gives keys to `onKey` until called again without; those for which it says no go their usual way. */
  captureKeys(onKey?: (text: string | undefined, key: Key) => boolean): void
  /** Calls back when the size has changed, until the result is called. */
  onResize(callback: () => void): () => void
  /** Resolves with the promise, or when Ctrl-C is typed. */
  untilInterrupted(waited: Promise<void>): Promise<void>
}

const everyMs = 1000

/**
 * Shows what `look` returns, every second, until that is undefined or the person leaves by q or Ctrl-C. Rejects as `look`
 * does.
 */
export async function showLive(screen: LiveScreen, look: Look): Promise<void> {
  const owner = Symbol('view')
  const wake = new Waker()
  let isLeft = false
  let leave = (): void => undefined
  const left = new Promise<void>((resolve) => (leave = resolve))
  screen.captureKeys((text, key) => {
    if (text === 'q' || text === 'Q') leave()
    // Ctrl-C, Ctrl-D and Ctrl-Z do what they always do; nothing else is typed into what will be the next line.
    return key.ctrl !== true
  })
  const offResize = screen.onResize(() => wake.wake())
  const shown = (async () => {
    for (;;) {
      const lines = await look(screen.size)
      if (lines === undefined || isLeft) return
      screen.showLive(owner, lines)
      await wake.within(everyMs)
    }
  })()
  try {
    await screen.untilInterrupted(Promise.race([shown, left]))
  } finally {
    isLeft = true
    wake.wake()
    offResize()
    screen.captureKeys()
    screen.showLive(owner, [])
  }
}

/** A pause that can be ended. It keeps no program from its end. */
export class Waker {
  #wake = (): void => undefined

  wake(): void {
    this.#wake()
  }

  async within(ms: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>((resolve) => {
      this.#wake = resolve
      timer = setTimeout(resolve, ms).unref()
    })
    clearTimeout(timer)
  }
}
