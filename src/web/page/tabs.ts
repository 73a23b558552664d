// Tells every tab of the browser what happens at the client. One tab listens and tells the others: a browser keeps six
// connections to a server, and a seventh tab that listened would leave none to ask with. When that tab is closed,
// another one listens in its place.

import type { ClientEvent } from '../../client/operations.ts'
import { readEvents, type Hello } from './event-stream.ts'
import { onNewKey } from './key.ts'

/** How the client stands to this browser. */
export type Standing =
  /** `stream`: another one may have missed something. */
  | { readonly connection: 'open'; readonly hello: Hello; readonly stream: string }
  /** It is gone, or does not answer; it is asked again. */
  | { readonly connection: 'lost' }
  /** It does not let this browser in; `why` says what does. */
  | { readonly connection: 'refused'; readonly why: string }

interface Listener {
  onStanding(standing: Standing): void
  onEvent(event: ClientEvent): void
}

/** What tabs tell each other. `asks`: another one has been opened, or wants the client to be tried again. */
type Told = Standing | { readonly event: ClientEvent } | 'asks'

const againMs = 2000

/** Listens for as long as the tab is open. */
export function listenWithOthers(listener: Listener): void {
  const others = new BroadcastChannel('coterie')
  let isListening = false
  let standing: Standing | undefined
  let tryAgain = (): void => undefined
  let timer: ReturnType<typeof setTimeout> | undefined

  const hear = (told: Standing | { readonly event: ClientEvent }): void => {
    if ('event' in told) return listener.onEvent(told.event)
    standing = told
    clearTimeout(timer)
    // Whichever tab is seen asks: a browser lets the clock of a hidden one stand.
    if (told.connection === 'lost') timer = setTimeout(askAgain, againMs)
    listener.onStanding(told)
  }
  const askAgain = (): void => {
    timer = setTimeout(askAgain, againMs)
    if (document.visibilityState !== 'visible') return
    if (isListening) tryAgain()
    else others.postMessage('asks' satisfies Told)
  }
  const tell = (told: Standing | { readonly event: ClientEvent }): void => {
    others.postMessage(told satisfies Told)
    hear(told)
  }
  others.addEventListener('message', ({ data }: MessageEvent<Told>) => {
    if (data !== 'asks') return hear(data)
    if (!isListening) return
    if (standing?.connection === 'open') others.postMessage(standing)
    else tryAgain()
  })
  onNewKey(() => isListening && tryAgain())
  others.postMessage('asks' satisfies Told)
  // Held until the tab is closed.
  void navigator.locks.request('coterie', listenForAll)

  async function listenForAll(): Promise<void> {
    isListening = true
    for (;;) {
      const why = await readEvents((kind, data) => {
        if (kind === 'hello') tell({ connection: 'open', hello: data as Hello, stream: crypto.randomUUID() })
        else tell({ event: data as ClientEvent })
      })
      tell(why === undefined ? { connection: 'lost' } : { connection: 'refused', why })
      await new Promise<void>((resolve) => (tryAgain = resolve))
    }
  }
}
