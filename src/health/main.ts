// Asks a tracker of this machine whether it answers, for a container's health check: exits with 0 when it does, otherwise
// with 1 and a sentence. A listening socket alone proves little, since the system accepts connections for a program that
// hangs. The words are those of the tracker; without any, those of the container's tracker, which is its first process.

import { readFileSync } from 'node:fs'
import { formatAddress, type Address } from '../common/addresses.ts'
import { withConfiguration } from '../common/configuration.ts'
import { Failure, sentenceOf } from '../common/failure.ts'
import { lineBytesMax } from '../common/limits.ts'
import { isLoopback } from '../common/networks.ts'
import { trackerProtocol } from '../common/protocol/tracker-protocol.ts'
import { clientGreeting } from '../common/version.ts'
import { Caller, unheard } from '../common/wire/caller.ts'
import { openChannel } from '../common/wire/open-channel.ts'
import { parseArguments, trackerProgram, type Arguments } from '../tracker/arguments.ts'

/** Far longer than a tracker takes that only has much to do. */
const answerWithinMs = 4000

async function main(words: readonly string[]): Promise<void> {
  const own = words.length > 0 ? words : wordsOfFirstProcess()
  const parsed = parseArguments(withConfiguration(trackerProgram(), own, process.env))
  // It prints its help, and serves nobody.
  if ('text' in parsed) return
  await askForTime(parsed)
}

/** Those behind the program's own file. */
function wordsOfFirstProcess(): string[] {
  const all = readFileSync('/proc/1/cmdline', 'utf8').split('\0').slice(0, -1)
  const at = all.findIndex((word) => word.endsWith('/tracker/main.js'))
  if (at === -1) throw new Failure('usage', 'the first process is no tracker: give the words of one')
  return all.slice(at + 1)
}

/** Rejects with a failure when the tracker does not answer in time. */
async function askForTime({ address, encryption }: Arguments): Promise<void> {
  const signal = AbortSignal.timeout(answerWithinMs)
  const reached = reachedFromHere(address)
  const isEncrypted = encryption === 'always' || (encryption === 'beyond' && !isLoopback(reached.host))
  const channel = await openChannel(reached, lineBytesMax, {
    signal,
    // Whoever answers there is the tracker: only one can listen.
    ...(isEncrypted ? { tls: { check: () => undefined } } : {}),
  })
  // Nobody who has not logged in is told anything.
  const onTold = unheard(trackerProtocol)
  const caller = new Caller(channel, trackerProtocol, { onTold, onClosed: () => undefined })
  const timeoutMs = answerWithinMs
  const greeted = await caller.request('hello', clientGreeting, { timeoutMs })
  // A tracker that is full is alive, and a new one would have fewer seats for those who come back.
  if (greeted.ok) await caller.request('ping', {}, { timeoutMs })
  else if (greeted.refusal.code !== 'busy')
    throw new Failure('protocol', `the tracker ${formatAddress(reached)} says: ${greeted.refusal.sentence}`)
  channel.close(new Failure('connection-lost', 'done'))
}

/** One that listens on all addresses is reached on this machine's own. */
function reachedFromHere({ host, port }: Address): Address {
  const own = new Map([
    ['0.0.0.0', '127.0.0.1'],
    ['::', '::1'],
  ])
  return { host: own.get(host) ?? host, port }
}

main(process.argv.slice(2)).then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`error: ${sentenceOf(error)}\n`)
    process.exit(1)
  },
)
