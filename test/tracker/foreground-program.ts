// Reads commands as a tracker does, for a test to run in a pseudo terminal. Its word is the file about this
// process.

import { readConsole } from '../../src/tracker/console.ts'
import { readInForeground } from '../../src/tracker/foreground.ts'

const print = (line: string): void => {
  process.stdout.write(`${line}\n`)
}
const events = {
  status: () => 'the status',
  digest: () => 'the digest',
  quit: () => {
    clearInterval(running)
    process.stdin.destroy()
  },
}
// As a server does, it goes on without its terminal.
const running = setInterval(() => undefined, 60_000)
print('it runs')
readInForeground(process.stdin, () => readConsole(process.stdin, print, events), process.argv[2])
