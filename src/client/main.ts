// The client program: arguments in, parts wired together, exit code out.

import { readFileSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { formatAddress, isLoopback } from '../common/addresses.ts'
import { defaultDataFolder, makePrivateFolder } from '../common/data-folder.ts'
import { Failure } from '../common/failure.ts'
import { parseArguments, type ClientArguments } from './arguments.ts'
import { Client } from './client.ts'
import { claimFolder } from './storage/folder-claim.ts'
import { runPrompt } from './prompt/prompt.ts'

// A function is compiled to optimised code when it has run for so long, on threads beside: three times as
// long as V8 has it by default. What runs here are some thousand short calls for each gigabyte. With the
// default the compiler took a tenth of all processor time of fetching one, and saved none of it.
setFlagsFromString('--interrupt-budget=400000')

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
  const folder =
    options.dataFolder ?? defaultDataFolder(`client-${formatAddress(listen).replace(/[^0-9A-Za-z.]/g, '_')}`)
  makePrivateFolder(folder)
  const giveBack = await claimFolder(folder)
  const stop = new AbortController()
  const onFailure = (error: unknown): void => {
    // A bug stops the program: what it would do from here on is not known.
    queueMicrotask(() => {
      throw error
    })
  }
  const client = new Client({ listen, trackers, folder, uploadLimit, downloadLimit, onFailure })
  await client.start()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())
  try {
    return await runPrompt({
      operations: client,
      subscribe: (listener) => client.subscribe(listener),
      input: process.stdin,
      output: process.stdout,
      isTerminal: process.stdin.isTTY && process.stdout.isTTY && process.env['TERM'] !== 'dumb',
      linger: options.linger,
      stop: stop.signal,
    })
  } finally {
    await client.close()
    giveBack()
  }
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

main().then(
  (code) => {
    // Standard input may still be open, and a pipe that nobody closes must not keep a program that was told to quit.
    process.exit(code)
  },
  (error: unknown) => {
    if (!(error instanceof Failure)) throw error
    process.stderr.write(`error: ${error.message}\n`)
    process.exit(error.code === 'usage' ? 2 : 1)
  },
)
