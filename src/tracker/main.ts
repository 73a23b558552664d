// The tracker program: command line, console, signals, exit codes. Everything else is in tracker.ts.

import { writeSync } from 'node:fs'
import { pino, type Logger } from 'pino'
import { formatAddress } from '../common/addresses.ts'
import { withConfiguration } from '../common/configuration.ts'
import { exitCodeOf, onHangUp } from '../common/ending.ts'
import { Failure, sentenceOf } from '../common/failure.ts'
import { isJournal } from '../common/journal.ts'
import { isLoopback } from '../common/networks.ts'
import { startedAs } from '../common/started-as.ts'
import { whyNewerNode } from '../common/node-version.ts'
import { version } from '../common/version.ts'
import { parseArguments, trackerProgram, type Arguments } from './arguments.ts'
import { readConsole, type ConsoleEvents } from './console.ts'
import { isCopyCommand, runCopyCommand } from './copy-commands.ts'
import { rememberList } from './folder-of-list.ts'
import { plainReading, readInForeground } from './foreground.ts'
import { LogOutput } from './log-output.ts'
import { TerminalConsole } from './terminal-console.ts'
import { startTracker, type Tracker } from './tracker.ts'

async function main(words: readonly string[]): Promise<void> {
  const command = startedAs(process.argv[1], './tracker')
  if (isCopyCommand(words)) {
    process.stdout.write(await runCopyCommand(words, process.env, command))
    return
  }
  const settings = withConfiguration(trackerProgram(), words, process.env)
  const parsed = parseArguments(settings, undefined, command)
  if ('text' in parsed) {
    process.stdout.write(parsed.text)
    return
  }
  const output = new LogOutput((bytes) => writeLog(bytes))
  const log = pino({ level: parsed.logLevel }, output)
  process.on('uncaughtException', (error) => {
    // A bug. What is durable is safe, what is in memory may not be: a new process replays the log.
    log.fatal({ err: error }, 'the tracker has a bug and ends')
    process.exit(1)
  })
  log.info({ version, node: process.version, tracker: parsed.number }, 'starting')
  if (parsed.isFoundAgain)
    log.warn(`the list of trackers has changed; its data stays in ${parsed.dataFolder}`)
  const droppedLogLines = (): number => output.droppedLines
  const tracker = await startTracker({
    ...parsed,
    pin: parsed.list[parsed.number - 1]?.pin,
    log,
    droppedLogLines,
    onLost: fail,
  })
  const end = endOnce(tracker, log)
  process.on('SIGINT', () => end(0))
  process.on('SIGTERM', () => end(0))
  onHangUp(() => end(exitCodeOf('SIGHUP')))
  noteList(parsed, log)
  tellOfNode(log)
  // Printed last: whoever reads it may send a signal at once.
  announce(parsed, tracker, log)
  const { status, digest, operator } = tracker
  hearConsole(`tracker ${parsed.number}`, { status, digest, operator, quit: () => end(0) })
}

function hearConsole(name: string, events: ConsoleEvents): void {
  const { stdin, stdout, stderr } = process
  const begin = (): void => readConsole(stdin, print, events)
  if (!stdin.isTTY) begin()
  else if (!stdout.isTTY || process.env['TERM'] === 'dumb')
    readInForeground(stdin, plainReading(stdin, begin))
  else {
    const terminal = new TerminalConsole({ input: stdin, output: stdout, name, events })
    process.once('exit', () => terminal.close())
    if (stderr.isTTY) besidePrompt = (write) => terminal.beside(write)
    readInForeground(stdin, terminal)
  }
}

/** Says that this Node is too old to somebody who may read it: at a terminal, or in the journal of systemd. */
function tellOfNode(log: Logger): void {
  const sentence = whyNewerNode(process.versions.node, new Date().toISOString())
  if (sentence === undefined) return
  if (process.stderr.isTTY) process.stderr.write(`${sentence}\n`)
  else if (isJournal()) log.warn(sentence)
}

/** Has a line written to the terminal where it does not destroy what is typed there. */
let besidePrompt = (write: () => void): void => write()

/** Throws the system's error. */
function writeLog(bytes: Buffer): number {
  let written = 0
  besidePrompt(() => (written = writeSync(2, bytes)))
  return written
}

function announce(parsed: Arguments, tracker: Tracker, log: Logger): void {
  const address = formatAddress(tracker.address)
  if (tracker.metricsAddress !== undefined)
    print(`metrics on http://${formatAddress(tracker.metricsAddress)}/metrics`)
  log.info({ address, dataFolder: parsed.dataFolder ?? 'none', status: tracker.status() }, 'serving')
  print(`tracker ${parsed.number} listening on ${address}`)
  if (parsed.encryption === 'always' || !isLoopback(tracker.address.host)) announceLine(parsed, tracker)
}

/** Printed for whoever sets up clients: they know the tracker by its key. */
function announceLine({ advertise, list, number }: Arguments, { address, fingerprint }: Tracker): void {
  const { pin, ...listed } = list[number - 1] ?? { ...address, pin: undefined }
  const { host, port } = advertise ?? listed
  const name = formatAddress({ host, port: port === 0 ? address.port : port })
  if (pin === undefined || advertise !== undefined) print(`for the list of trackers: ${name} ${fingerprint}`)
}

/** Only warns: a full disk must not keep a tracker from answering what it knows. */
function noteList({ dataFolder, list }: Arguments, log: Logger): void {
  if (dataFolder === undefined) return
  try {
    rememberList(dataFolder, list)
  } catch (error) {
    log.warn(`cannot save the list of trackers in ${dataFolder}: ${sentenceOf(error)}`)
  }
}

/** Ends the tracker in good order and exits with the code; called a second time, exits at once. */
function endOnce(tracker: Tracker, log: Logger): (code: number) => void {
  let isEnding = false
  return (code) => {
    if (isEnding) process.exit(1)
    isEnding = true
    log.info('ending')
    tracker.close().then(() => {
      log.info('ended')
      process.exit(code)
    }, fail)
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

function fail(error: unknown): void {
  besidePrompt(() => process.stderr.write(`error: ${sentenceOf(error)}\n`))
  process.exit(error instanceof Failure && error.code === 'usage' ? 2 : 1)
}

// The reader of the output may go away; that is no reason to stop serving.
process.stdout.on('error', () => undefined)
process.stderr.on('error', () => undefined)

main(process.argv.slice(2)).catch(fail)
