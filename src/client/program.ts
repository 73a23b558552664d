// The client as a program: parses the arguments, wires the parts together, sets the exit code.

import { fstatSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { formatAddress } from '../common/addresses.ts'
import { withConfiguration } from '../common/configuration.ts'
import { makePrivateFolder } from '../common/data-folder.ts'
import { exitCodeOf, onHangUp, whenWritten } from '../common/ending.ts'
import { Failure, sentenceOf, systemCode } from '../common/failure.ts'
import { isJournal } from '../common/journal.ts'
import { isLoopback } from '../common/networks.ts'
import { startedAs } from '../common/started-as.ts'
import { whyNewerNode } from '../common/node-version.ts'
import { clientProgram, parseArguments, type ClientArguments } from './arguments.ts'
import type { Client } from './client.ts'
import { joinRunning, type RemoteClient } from './control/remote-client.ts'
import { firstLoginBegun } from './first-login.ts'
import { guestsElsewhere } from './guest-wish.ts'
import type { GuestPlace } from './link-operations.ts'
import { clientFolder } from './storage/client-folder.ts'
import { claimFolder } from './storage/folder-claim.ts'
import { runPrompt } from './prompt/prompt.ts'
import { inputLines } from './prompt/input-lines.ts'
import { passwordOf, readAhead, scriptLines, type ScriptPart } from './script.ts'
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

/** Aborted by the first signal. */
const stop = new AbortController()
let stoppedBy: NodeJS.Signals | undefined
let heardInterrupt: (() => void) | undefined
/** The terminal obeys no control sequences. */
const isDumb = process.env['TERM'] === 'dumb'

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
  heedSignals()
  const folder = options.dataFolder ?? clientFolder(listen)
  makePrivateFolder(folder)
  const giveBack = await claimFolder(folder)
  if (giveBack === undefined) return useRunning(options, folder, password)
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
        const { beginWithSalt } = await import('./tracker-link/early-salt.ts')
        await beginWithSalt(user, text, { folder, keys: earlyKeys, ...options })
      },
    })
  const { startOwnClient } = await import('./own-client.ts')
  const ask = process.stdin.isTTY && process.stdout.isTTY ? askAtTerminal : undefined
  const newerNode = whyNewerNode(process.versions.node, new Date().toISOString())
  // At a terminal it is a line of the greeting. A service has none, and is read in the journal.
  if (newerNode !== undefined && isJournal()) process.stderr.write(`${newerNode}\n`)
  const own = await startOwnClient(options, { folder, ask, earlyKeys, onFailure })
  isOwnClient = true
  try {
    printGuests(own.guestPlace)
    await printPage(own.client, options)
    const code = await converse(own.client, options, {
      folder,
      password,
      lines: lines?.lines,
      endsClient: true,
      greeting: ['help lists the commands', ...(newerNode === undefined ? [] : [newerNode])],
      contact: own.client.firstContact(),
    })
    // Set now: the event loop may run empty before `end` sets it.
    process.exitCode = code
    return code
  } finally {
    await own.close()
    giveBack()
  }
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

/** Another client has the folder: this is one more terminal of it. */
async function useRunning(
  options: ClientArguments,
  folder: string,
  password: string | undefined,
): Promise<number> {
  const { listen } = options
  const client = await joinRunning({ folder, listen: formatAddress(listen) })
  if (client === undefined)
    throw new Failure(
      'start',
      `another client uses the folder ${folder}; give this one its own with --data-dir`,
    )
  const ended = new AbortController()
  void client.ended.then(() => ended.abort())
  const greeting = `another terminal of the client on ${formatAddress(listen)}; quit leaves that client running`
  try {
    await sayWhereGuestsAre(client, options)
    await printPage(client, options)
    const code = await converse(
      client,
      { ...options, linger: false },
      {
        folder,
        password,
        lines: linesOf(options.script)?.lines,
        endsClient: false,
        greeting: [greeting],
        gone: ended.signal,
      },
    )
    if (!ended.signal.aborted) return code
    process.stderr.write('error: the client that ran here has ended\n')
    return 1
  } finally {
    await client.close()
  }
}

/** On standard error, since the replies of a script are on the other. Rejects with a `start` failure. */
async function printPage({ operations }: Client | RemoteClient, { webPort }: ClientArguments): Promise<void> {
  if (webPort === undefined) return
  const page = await operations.showPage(webPort)
  if (!page.ok) throw new Failure('start', page.refusal.sentence)
  process.stderr.write(
    `page: ${page.value.link} (opens once, within two minutes; show_page prints another)\n`,
  )
}

/** Likewise. */
function printGuests(place: GuestPlace | undefined): void {
  if (place === undefined) return
  const known = place.fingerprint === undefined ? '' : ` (certificate ${place.fingerprint})`
  process.stderr.write(`guests: ${place.origin}/${known}; share_link makes a link for one\n`)
}

/** Likewise, where the client that runs does not serve guests as this terminal asks for. */
async function sayWhereGuestsAre({ operations }: RemoteClient, { guests }: ClientArguments): Promise<void> {
  if (guests === undefined) return
  const sentence = guestsElsewhere(guests, await operations.showGuestPlace())
  if (sentence !== undefined) process.stderr.write(`guests: ${sentence}\n`)
}

/** Anything but a yes is a no. */
async function askAtTerminal(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout, terminal: !isDumb })
  try {
    const answer = await terminal.question(question, { signal: stop.signal })
    return /^y(es)?$/i.test(answer.trim())
  } catch {
    return false
  } finally {
    terminal.close()
  }
}

interface Talk {
  /** The data folder. */
  readonly folder: string
  /** For commands that need one which is not typed. */
  readonly password: string | undefined
  /** Of a script that does not come from a terminal. */
  readonly lines: AsyncGenerator<string | undefined> | undefined
  /** The client is of this process and ends with the prompt, so a script waits for all its downloads. */
  readonly endsClient: boolean
  /** Lines for a person, before the first prompt. */
  readonly greeting: readonly string[]
  /** What is said of the trackers, to a person, as it is found out. */
  readonly contact?: AsyncIterable<string>
  /** The client has ended elsewhere. */
  readonly gone?: AbortSignal
}

/** Runs the prompt to its end. Resolves to its exit code, or to that of the signal that cut it short. */
async function converse(
  client: Client | RemoteClient,
  { linger, script, isJson, stopsAtError }: ClientArguments,
  { folder, password, lines, endsClient, greeting, contact, gone }: Talk,
): Promise<number> {
  let isLingering = false
  const isGiven = script.length > 0
  const isPlain = isGiven || isJson
  const code = await runPrompt({
    operations: client.operations,
    subscribe: (listener) => client.subscribe(listener),
    input: process.stdin,
    output: process.stdout,
    isTerminal: process.stdin.isTTY && process.stdout.isTTY && !isPlain,
    isDumb,
    onInterrupt,
    password,
    script: {
      lines,
      errors: isGiven ? process.stderr : undefined,
      isJson,
      stopsAtError: stopsAtError ?? isGiven,
      settlesAll: endsClient,
    },
    historyFile: join(folder, 'history'),
    progress: process.stderr,
    endsClient,
    linger,
    onLingering: () => (isLingering = true),
    stop: gone === undefined ? stop.signal : AbortSignal.any([stop.signal, gone]),
    greeting,
    ...(contact === undefined ? {} : { contact }),
  })
  if (stoppedBy === undefined) return code
  // A finished script that only lingers is meant to be ended by a signal: nothing was cut short.
  const downloads = isLingering ? await client.operations.showDownloads() : []
  const isThrough = isLingering && downloads.every(({ state }) => state === 'complete' || state === 'failed')
  return isThrough && stoppedBy !== 'SIGHUP' ? code : exitCodeOf(stoppedBy)
}

/** A dumb terminal turns Ctrl-C into a signal: calls back instead of ending, until the result is called. */
function onInterrupt(listener: () => void): () => void {
  heardInterrupt = listener
  return () => {
    if (heardInterrupt === listener) heardInterrupt = undefined
  }
}

/** The first signal shuts the program down in order, a second one at once. */
function heedSignals(): void {
  const onSignal = (signal: NodeJS.Signals): void => {
    if (signal === 'SIGINT' && heardInterrupt !== undefined) {
      heardInterrupt()
      return
    }
    // Both the system and the shell may send SIGHUP when a terminal closes.
    if (stoppedBy !== undefined && signal !== 'SIGHUP') process.exit(exitCodeOf(signal))
    stoppedBy ??= signal
    stop.abort()
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, onSignal)
  onHangUp(() => onSignal('SIGHUP'))
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
  if (stop.signal.aborted) giveUp()
  else stop.signal.addEventListener('abort', giveUp)
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
