// Listens to what happens at the client, as server-sent events, until the stream ends. Not the browser's own
// EventSource, which can show no key.

import { isGone, refusalIn } from './api.ts'
import { keyHeader } from './key.ts'

export interface Hello {
  readonly user?: string
  readonly program: string
  /** For the addresses of files. */
  readonly fileKey: string
}

/** Resolves when the stream is over: to why it was refused, or to undefined where the client has gone. Never rejects. */
export async function readEvents(
  onMessage: (kind: string, data: unknown) => void,
): Promise<string | undefined> {
  try {
    const response = await fetch('/api/events', { headers: keyHeader() })
    if (!response.ok || response.body === null) {
      const { sentence } = refusalIn(await response.json()).refusal
      return sentence === isGone ? undefined : sentence
    }
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
    let rest = ''
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      const messages = (rest + part.value).split('\n\n')
      rest = messages.pop() ?? ''
      for (const message of messages) tell(message, onMessage)
    }
  } catch {
    // No answer, or none to its end.
  }
  return undefined
}

/** What begins with a colon is a comment, by which both ends notice that the other one has gone. */
function tell(message: string, onMessage: (kind: string, data: unknown) => void): void {
  const [, kind, data] = /^event: (.*)\ndata: (.*)$/.exec(message) ?? []
  if (kind !== undefined && data !== undefined) onMessage(kind, JSON.parse(data))
}
