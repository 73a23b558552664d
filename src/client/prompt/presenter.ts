// Shows replies and events: as lines for people and for scripts that look at lines, or as JSON for programs.

import { setImmediate } from 'node:timers/promises'
import type { Refusal } from '../../common/refusal.ts'
import type { ClientEvent } from '../operations.ts'
import type { Reply } from './commands/command.ts'
import { eventLine } from './commands/replies.ts'
import { errorLine, type Line, type Screen } from '../../common/terminal/line.ts'

export interface Presenter {
  /**
   * `command`: its name, or the word that was taken for one; undefined where there was none. Resolves when all of the reply
   * is shown.
   */
  onReply(command: string | undefined, reply: Reply): Promise<void>
  onRefusal(command: string | undefined, refusal: Refusal): void
  /** In the order in which they happened; empty for none. */
  onEvents(events: readonly ClientEvent[]): void
  /** What is said besides, to a person. */
  say(line: Line): void
}

/** Of a long reply, before others have their turn. */
const linesAtOnce = 1000

/** Lines. Hints are for people. */
export class LinePresenter implements Presenter {
  readonly #screen: Screen
  readonly #errors: Screen
  readonly #hasHints: boolean

  /** `errors`: where refusals go. */
  constructor(screen: Screen, { hasHints, errors = screen }: { hasHints: boolean; errors?: Screen }) {
    this.#screen = screen
    this.#errors = errors
    this.#hasHints = hasHints
  }

  async onReply(_command: string | undefined, { lines, hint, clears }: Reply): Promise<void> {
    if (clears) this.#screen.clear?.()
    const hints: Line[] =
      hint === undefined || !this.#hasHints ? [] : [{ text: hint, tone: 'faint', hanging: 2 }]
    const all = [...lines, ...hints]
    this.#screen.show(all.slice(0, linesAtOnce))
    for (let from = linesAtOnce; from < all.length; from += linesAtOnce) {
      await setImmediate()
      this.#screen.show(all.slice(from, from + linesAtOnce))
    }
  }

  onRefusal(_command: string | undefined, { code, sentence }: Refusal): void {
    // Who cancelled knows; it is no error.
    if (code === 'cancelled' && this.#hasHints) this.#errors.show([{ text: sentence, tone: 'faint' }])
    else this.#errors.show([errorLine(sentence)])
    if (code === 'login-first' && this.#hasHints)
      this.#screen.show([{ text: 'next: login <user>, or create_user <user>', tone: 'faint' }])
  }

  onEvents(events: readonly ClientEvent[]): void {
    this.#screen.show(events.flatMap((event) => eventLine(event, this.#hasHints) ?? []))
  }

  say(line: Line): void {
    this.#screen.show([line])
  }
}

/** One object a line: docs/scripting.md says what is in them. */
export class JsonPresenter implements Presenter {
  readonly #write: (text: string) => void

  constructor(write: (text: string) => void) {
    this.#write = write
  }

  async onReply(command: string | undefined, { data }: Reply): Promise<void> {
    this.#line({ type: 'reply', ok: true, command, ...data })
  }

  onRefusal(command: string | undefined, { code, sentence }: Refusal): void {
    this.#line({ type: 'reply', ok: false, command, code, error: sentence })
  }

  onEvents(events: readonly ClientEvent[]): void {
    for (const { kind, ...rest } of events) this.#line({ type: 'event', event: kind, ...rest })
  }

  /** Programs hear it from replies and events. */
  say(_line: Line): void {}

  #line(object: object): void {
    this.#write(`${JSON.stringify(object)}\n`)
  }
}
