// The client program: arguments in, parts wired together, exit code out.

import { readFileSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { formatAddress, isLoopback } from '../common/addresses.ts'
import { defaultDataFolder, makePrivateFolder } from '../common/data-folder.ts'
import { exitCodeOf, onHangUp, whenWritten } from '../common/ending.ts'
import { Failure } from '../common/failure.ts'
import { parseArguments, type ClientArguments } from './arguments.ts'
import { Client } from './client.ts'
import { compilerFlag } from './compiler-flag.ts'
import { claimFolder } from './storage/folder-claim.ts'
import { runPrompt } from './prompt/prompt.ts'

const flag = compilerFlag(process.versions.v8)
if (flag !== undefined) setFlagsFromString(flag)

/** After a signal a reader of the output has so long to take what was said until then. */
const lastWordsMs = 2000

/** Told by the first signal. */
const stop = new AbortController()
let stoppedBy: NodeJS.Signals | undefined

async function main(): Promise<number> {
  const parsed = parseArguments(process.argv.slice(2), (path) => readFileSync(path, 'utf8'))
  if (parsed.kind === 'text') {
    process.stdout.write(parsed.text)
    return 0
  }
  return run(parsed.arguments)
}

async function run(options: ClientArguments): Promise<number> {
  const { listen, trackers, uploadLimit, downloadLimit } = options
  refuseUnreachable(options)
  refusePlainOffLoopback(options)
  heedSignals()
  const folder =
    options.dataFolder ?? defaultDataFolder(`client-${formatAddress(listen).replace(/[^0-9A-Za-z.]/g, '_')}`)
  makePrivateFolder(folder)
  const giveBack = await claimFolder(folder)
  // Also when a bug ends the program.
  process.once('exit', giveBack)
  const onFailure = (error: unknown): void => {
    // A bug stops the program: what it would do from here on is not known.
    queueMicrotask(() => {
      throw error
    })
  }
  const client = new Client({ listen, trackers, folder, uploadLimit, downloadLimit, onFailure })
  await client.start()
  try {
    const code = await converse(client, options.linger)
    // What follows must not change it, even if nothing kept the program alive until its end.
    process.exitCode = code
    return code
  } finally {
    await client.close()
    giveBack()
  }
}

/** Runs the prompt to its end. The exit code: whether all went well, or the signal that cut it short. */
async function converse(client: Client, linger: boolean): Promise<number> {
  let isLingering = false
  const code = await runPrompt({
    operations: client,
    subscribe: (listener) => client.subscribe(listener),
    input: process.stdin,
    output: process.stdout,
    isTerminal: process.stdin.isTTY && process.stdout.isTTY && process.env['TERM'] !== 'dumb',
    linger,
    onLingering: () => (isLingering = true),
    stop: stop.signal,
  })
  if (stoppedBy === undefined) return code
  // A script that was through and only lingered is told to end by a signal: nothing was cut short.
  const isThrough =
    isLingering && client.showDownloads().every(({ state }) => state === 'complete' || state === 'failed')
  return isThrough && stoppedBy !== 'SIGHUP' ? code : exitCodeOf(stoppedBy)
}

/** The first signal ends the program in good order, another one at once. */
function heedSignals(): void {
  const onSignal = (signal: NodeJS.Signals): void => {
    // Of one terminal that is closed both the system and the shell may tell.
    if (stoppedBy !== undefined && signal !== 'SIGHUP') process.exit(exitCodeOf(signal))
    stoppedBy ??= signal
    stop.abort()
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, onSignal)
  onHangUp(() => onSignal('SIGHUP'))
}

/** Others are told the address that a tracker sees: with this one they would call themselves. */
function refuseUnreachable({ listen, trackers }: ClientArguments): void {
  const far = trackers.find((tracker) => !isLoopback(tracker.host))
  if (far === undefined || !isLoopback(listen.host)) return
  throw new Failure(
    'usage',
    `others that use the tracker ${formatAddress(far)} cannot reach ${listen.host}; listen on an address of this machine in their network, or on 0.0.0.0`,
  )
}

/** TLS will make this unnecessary; until then a person has to say that the network is trusted. */
function refusePlainOffLoopback({ listen, trackers, insecurePlain }: ClientArguments): void {
  const far = [listen, ...trackers].find((address) => !isLoopback(address.host))
  if (far === undefined || insecurePlain) return
  throw new Failure(
    'usage',
    `${formatAddress(far)} is beyond this machine and connections are not encrypted yet; add --insecure-plain on a network you trust`,
  )
}

/** Ends the process when its output is out, also while standard input is open: a pipe that nobody closes. */
async function end(code: number): Promise<void> {
  // Before there is anything to wait for.
  process.exitCode = code
  const patience = new AbortController()
  const giveUp = (): void => void setTimeout(() => patience.abort(), lastWordsMs).unref()
  if (stop.signal.aborted) giveUp()
  else stop.signal.addEventListener('abort', giveUp)
  const isWritten = await whenWritten(process.stdout, patience.signal)
  await whenWritten(process.stderr, patience.signal)
  // Who reads a script's replies and did not get them must not believe that all went well.
  process.exit(code === 0 && !isWritten ? 1 : code)
}

// Until there is a better answer: a program that ends before it has one has failed.
process.exitCode = 1
// There is nobody left to tell; the prompt sees to its own output.
process.stdout.on('error', () => undefined)
process.stderr.on('error', () => undefined)

main()
  .then(end, (error: unknown) => {
    if (!(error instanceof Failure)) throw error
    process.stderr.write(`error: ${error.message}\n`)
    return end(error.code === 'usage' ? 2 : 1)
  })
  .catch((error: unknown) => {
    // A bug: Node says where, and ends with 1.
    throw error
  })
