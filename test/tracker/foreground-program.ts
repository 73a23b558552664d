// Reads commands as a tracker does, for a test to run in a pseudo terminal. Its word is the file about this
// process.

import type { Operator } from '../../src/tracker/operator.ts'
import { TerminalConsole } from '../../src/tracker/terminal-console.ts'
import { readConsole } from '../../src/tracker/console.ts'
import { plainReading, readInForeground } from '../../src/tracker/foreground.ts'

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
const { stdin } = process
const reading =
  process.env['TERM'] === 'dumb'
    ? plainReading(stdin, () => readConsole(stdin, print, events))
    : new TerminalConsole({ input: stdin, output: process.stdout, name: 'tracker 1', events })
readInForeground(stdin, reading, process.argv[2])
