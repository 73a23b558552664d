// The connections that this client has asked others to open to it, by the token that each begins with.

import type { OpenedWithRole } from '../../common/wire/listener.ts'

export class AwaitedCalls {
  readonly #awaited = new Map<string, (opened: OpenedWithRole) => void>()

  /** Calls `onCome` for each connection that shows the token. Returns what ends this. */
  expect(token: string, onCome: (opened: OpenedWithRole) => void): () => void {
    this.#awaited.set(token, onCome)
    return () => void this.#awaited.delete(token)
  }

  /** Somebody dialled and says that it serves. False when it was not asked to. */
  take(opened: OpenedWithRole): boolean {
    const onCome = this.#awaited.get(opened.hello.token)
    // Until it is asked, the other end has nothing to say.
    if (onCome === undefined || opened.rest.length > 0) return false
    onCome(opened)
    return true
  }
}
