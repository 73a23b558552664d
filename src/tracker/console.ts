// What a person can type at a running tracker. The end of the input means nothing: a service has none.

import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { escapeText } from '../common/escape.ts'

export interface ConsoleEvents {
  status(): string
  digest(): string
  quit(): void
}

const help = 'status: how much there is of everything; digest: to compare trackers; quit: end this tracker'

/** Reads commands from `input`; `print` gets each reply, one line. */
export function readConsole(input: Readable, print: (line: string) => void, events: ConsoleEvents): void {
  const lines = createInterface({ input, terminal: false })
  lines.on('line', (line) => onCommand(line.trim(), print, events))
  input.on('error', () => {
    // The terminal is gone; the tracker is not.
  })
}

function onCommand(command: string, print: (line: string) => void, events: ConsoleEvents): void {
  if (command === '') return
  if (command === 'quit' || command === 'exit') events.quit()
  else if (command === 'status') print(events.status())
  else if (command === 'digest') print(events.digest())
  else if (command === 'help') print(help)
  else
    print(
      `error: there is no command "${escapeText(command.slice(0, 64))}"; there are status, digest, quit and help`,
    )
}
