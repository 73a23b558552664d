// The client as a program: parses the arguments, begins the first login, sets the exit code. What it runs is imported behind
// that, so that the key is derived while the rest of the program is read.

import { fstatSync, readFileSync } from 'node:fs'
import { formatAddress } from '../common/addresses.ts'
import { withConfiguration } from '../common/configuration.ts'
import { makePrivateFolder } from '../common/data-folder.ts'
import { whenWritten } from '../common/ending.ts'
import { Failure, sentenceOf, systemCode } from '../common/failure.ts'
import { isLoopback } from '../common/networks.ts'
import { startedAs } from '../common/started-as.ts'
import { clientProgram, parseArguments, type ClientArguments } from './arguments.ts'
import { flagsOfProcess } from './engine-flags.ts'
import { firstLoginBegun } from './first-login.ts'
import { inputLines } from './prompt/input-lines.ts'
import { passwordOf, readAhead, scriptLines, type Lines, type ScriptPart } from './script.ts'
import { Signals } from './signals.ts'
import { clientFolder } from './storage/client-folder.ts'
import { claimFolder } from './storage/folder-claim.ts'
import { KnownLogins } from './storage/known-logins.ts'
import { EarlyKeys } from './tracker-link/early-keys.ts'

/** How long a reader has, after a signal, to take the output so far. */
const lastWordsMs = 2000

/** Not only a terminal of another one. */
let isOwnClient = false

/** Of the compiled code: a client of its own uses nearly all of it. */
export function isWorthKeeping(): boolean {
  return isOwnClient
}

const signals = new Signals()

async function main(): Promise<number> {
  const words = withConfiguration(clientProgram(), process.argv.slice(2), process.env)
  const parsed = parseArguments(
    words,
    (path) => readFileSync(path, 'utf8'),
    startedAs(process.argv[1], './client'),
  )
  if (parsed.kind === 'text') {
    process.stdout.write(parsed.text)
    return 0
  }
  return run(parsed.arguments)
}

async function run(options: ClientArguments): Promise<number> {
  const { listen } = options
  refuseFolderAsInput()
  refuseUnreachable(options)
  const password = passwordOf(options.passwordFile, process.env)
  signals.heed()
  const folder = options.dataFolder ?? clientFolder(listen)
  makePrivateFolder(folder)
  const giveBack = await claimFolder(folder)
  if (giveBack === undefined) {
    const { runFurtherTerminal } = await flagsOfProcess.loading(() => import('./further-terminal.ts'))
    const lines = (): Lines | undefined => linesOf(options.script)?.lines
    return runFurtherTerminal(options, { folder, password, lines, signals })
  }
  // Also runs when a bug ends the program.
  process.once('exit', giveBack)
  const lines = linesOf(options.script)
  const earlyKeys = new EarlyKeys()
  const knownLogins = new KnownLogins(folder, () => undefined)
  if (lines !== undefined)
    await firstLoginBegun(lines.first, {
      knownLogins,
      keys: earlyKeys,
      password,
      onFailure,
      beginWithSalt: async (user, text) => {
        const { beginWithSalt } = await flagsOfProcess.loading(() => import('./tracker-link/early-salt.ts'))
        await beginWithSalt(user, text, { folder, keys: earlyKeys, ...options })
      },
    })
  const { runFirstTerminal } = await flagsOfProcess.loading(() => import('./first-terminal.ts'))
  const onStarted = (): void => void (isOwnClient = true)
  const words = { folder, password, lines: lines?.lines, earlyKeys, signals, onStarted, onFailure }
  const code = await runFirstTerminal(options, words)
  giveBack()
  return code
}

/** Undefined where a person types them, who may first be asked something else. */
function linesOf(script: readonly ScriptPart[]): ReturnType<typeof readAhead> | undefined {
  if (script.length > 0) return readAhead(scriptLines(script))
  return process.stdin.isTTY ? undefined : readAhead(inputLines(process.stdin))
}

/** A bug stops the program: its state is unknown from here on. */
function onFailure(error: unknown): void {
  queueMicrotask(() => {
    throw error
  })
}

/** Node reads a folder as empty input, and a script that never ran would seem to have succeeded. */
function refuseFolderAsInput(): void {
  if (fstatSync(0).isDirectory())
    throw new Failure('start', 'the commands cannot be read: standard input is a folder, not a file')
}

/** Refuses a loopback listening address with a tracker elsewhere: other members could not reach it. */
function refuseUnreachable({ listen, advertise, trackers }: ClientArguments): void {
  const far = trackers.find((tracker) => !isLoopback(tracker.host))
  if (far === undefined || !isLoopback(listen.host) || advertise !== undefined) return
  throw new Failure(
    'usage',
    `others who use the tracker ${formatAddress(far)} cannot reach ${listen.host}; listen on an address of this machine in their network, or on 0.0.0.0`,
  )
}

/** Ends the process once its output is written, even while standard input is a pipe that nobody closes. */
async function end(code: number): Promise<void> {
  // Set before anything is awaited.
  process.exitCode = code
  const patience = new AbortController()
  const giveUp = (): void => void setTimeout(() => patience.abort(), lastWordsMs).unref()
  if (signals.stop.aborted) giveUp()
  else signals.stop.addEventListener('abort', giveUp)
  const isWritten = await whenWritten(process.stdout, patience.signal)
  await whenWritten(process.stderr, patience.signal)
  // A caller that did not get the replies must not see success.
  process.exit(code === 0 && !isWritten ? 1 : code)
}

// The default: a program that ends before it sets a code has failed.
process.exitCode = 1
// The prompt handles errors of its own output.
let isOutputLost = false
process.stdout.on('error', (error) => {
  // A reader that has gone, `| head` say, wants no more.
  if (systemCode(error) !== 'EPIPE' && !isOutputLost)
    process.stderr.write(`error: cannot write the output: ${sentenceOf(error)}\n`)
  isOutputLost = true
})
process.stderr.on('error', () => undefined)

main()
  .then(end, (error: unknown) => {
    if (!(error instanceof Failure)) throw error
    process.stderr.write(`error: ${error.message}\n`)
    return end(error.code === 'usage' ? 2 : 1)
  })
  .catch((error: unknown) => {
    // A bug: Node prints the stack and exits with 1.
    throw error
  })
