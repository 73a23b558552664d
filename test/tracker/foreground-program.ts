// Reads commands as a tracker does, for a test to run in a pseudo terminal. Its word is the file about this
// process.

import type { Operator } from '../../src/tracker/operator.ts'
import { readConsole } from '../../src/tracker/console.ts'
import { readInForeground } from '../../src/tracker/foreground.ts'

const print = (line: string): void => {
  process.stdout.write(`${line}\n`)
}
const events = {
  status: () => 'the status',
  digest: () => 'the digest',
  operator: {} as Operator,
  quit: () => {
    clearInterval(running)
    process.stdin.destroy()
  },
}
const parent = process.ppid
// As a server does, it goes on without its terminal, but not without the test: a shell that is ended in a hurry may
// leave its jobs behind.
const running = setInterval(() => {
  if (process.ppid !== parent) process.kill(process.pid)
}, 200)
print('it runs')
readInForeground(process.stdin, () => readConsole(process.stdin, print, events), process.argv[2])
