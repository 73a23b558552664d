// Runs commands of a script that do not depend on each other at the same time, so that they share what each waits for:
// commits of the trackers and flushes of the disk. Their replies come in the order of their lines.

import { callOf } from './call.ts'
import { findCommand } from './commands/program.ts'
import type { Conversation } from './conversation.ts'
import { splitWords } from './text/words.ts'

/** More are hardly faster, and a failure stops those that have not begun. */
const atOnceMax = 128

export class SideBySide {
  readonly #conversation: Conversation
  /** What each is about, in the order of their lines, with its end. */
  readonly #running = new Map<string, Promise<void>>()
  #last: Promise<void> = Promise.resolve()

  constructor(conversation: Conversation) {
    this.#conversation = conversation
  }

  /**
   * Begins a line, as soon as there is room and nothing runs that is about the same. Resolves to false for one that is to run
   * alone, and when it `isOver` before.
   */
  async takes(line: string | undefined, isOver: () => boolean): Promise<boolean> {
    if (line === undefined || findCommand(/^[^ \t]*/.exec(line)?.[0] ?? '')?.besideOthers === undefined)
      return false
    const words = splitWords(line)
    const call = words.ok ? callOf(words.value) : words
    if (!call.ok) return false
    const about = call.value.command.besideOthers?.(call.value.words) ?? ''
    await this.#running.get(about)
    for (const oldest of this.#running.values()) {
      if (this.#running.size < atOnceMax) break
      await oldest
    }
    if (isOver()) return false
    const replied = this.#conversation.runBeside(call.value, this.#last)
    this.#last = replied.finally(() => this.#running.delete(about))
    // Whoever waits for all of them hears of it.
    this.#last.catch(() => undefined)
    this.#running.set(about, this.#last)
    return true
  }

  /** Resolves when all that have begun have replied. Rejects for bugs only. */
  async idle(): Promise<void> {
    await Promise.all(this.#running.values())
  }
}
