// The terminal that starts the client, in this process. Loaded once the key of the first login is being derived.

import { createInterface } from 'node:readline/promises'
import { isJournal } from '../common/journal.ts'
import { whyNewerNode } from '../common/node-version.ts'
import type { ClientArguments } from './arguments.ts'
import type { GuestPlace } from './link-operations.ts'
import { startOwnClient } from './own-client.ts'
import type { Lines } from './script.ts'
import type { Signals } from './signals.ts'
import { converse, isDumb, printPage } from './talk.ts'
import type { EarlyKeys } from './tracker-link/early-keys.ts'

export interface FirstTerminal {
  /** The data folder, which this process has claimed. */
  readonly folder: string
  readonly password: string | undefined
  readonly lines: Lines | undefined
  readonly earlyKeys: EarlyKeys
  readonly signals: Signals
  readonly onStarted: () => void
  /** A bug or a system failure in background work. */
  readonly onFailure: (error: unknown) => void
}

/** Resolves to the exit code, when the client has ended. Rejects with a failure that says why it cannot start. */
export async function runFirstTerminal(
  options: ClientArguments,
  { folder, password, lines, earlyKeys, signals, onStarted, onFailure }: FirstTerminal,
): Promise<number> {
  const isTerminal = process.stdin.isTTY && process.stdout.isTTY
  const ask = isTerminal ? (question: string) => askAtTerminal(question, signals.stop) : undefined
  const newerNode = whyNewerNode(process.versions.node, new Date().toISOString())
  // At a terminal it is a line of the greeting. A service has none, and is read in the journal.
  if (newerNode !== undefined && isJournal()) process.stderr.write(`${newerNode}\n`)
  const own = await startOwnClient(options, { folder, ask, earlyKeys, onFailure })
  onStarted()
  try {
    printGuests(own.guestPlace)
    await printPage(own.client, options)
    const code = await converse(own.client, options, {
      folder,
      password,
      lines,
      signals,
      endsClient: true,
      greeting: ['help lists the commands', ...(newerNode === undefined ? [] : [newerNode])],
      contact: own.client.firstContact(),
    })
    // Set now: the event loop may run empty before the program sets it.
    process.exitCode = code
    return code
  } finally {
    await own.close()
  }
}

/** On standard error, since the replies of a script are on the other. */
function printGuests(place: GuestPlace | undefined): void {
  if (place === undefined) return
  const known = place.fingerprint === undefined ? '' : ` (certificate ${place.fingerprint})`
  process.stderr.write(`guests: ${place.origin}/${known}; share_link makes a link for one\n`)
}

/** Anything but a yes is a no. */
async function askAtTerminal(question: string, stop: AbortSignal): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout, terminal: !isDumb })
  try {
    const answer = await terminal.question(question, { signal: stop })
    return /^y(es)?$/i.test(answer.trim())
  } catch {
    return false
  } finally {
    terminal.close()
  }
}
