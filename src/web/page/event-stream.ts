// Listens to what happens at the client, until the stream ends. Where a connection breaks, the browser mostly tries
// again.

import type { ClientEvent } from '../../client/operations.ts'

interface Listener {
  /** Connected, also once more. */
  onHello(hello: { readonly user?: string; readonly program: string }): void
  onEvent(event: ClientEvent): void
  /** `isOver`: the browser does not try again. */
  onLost(isOver: boolean): void
}

export function listenTo(address: string, listener: Listener): void {
  const source = new EventSource(address)
  source.addEventListener('hello', (message: MessageEvent<string>) => {
    listener.onHello(JSON.parse(message.data) as { user?: string; program: string })
  })
  source.addEventListener('event', (message: MessageEvent<string>) => {
    listener.onEvent(JSON.parse(message.data) as ClientEvent)
  })
  source.addEventListener('error', () => {
    listener.onLost(source.readyState === EventSource.CLOSED)
  })
}
