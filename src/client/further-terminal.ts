// Another client has the folder: this is one more terminal of it. Loaded only then, and without the client itself: a command
// for one that runs should be answered before that was read.

import { formatAddress } from '../common/addresses.ts'
import { Failure } from '../common/failure.ts'
import type { ClientArguments } from './arguments.ts'
import { joinRunning, type RemoteClient } from './control/remote-client.ts'
import { guestsElsewhere } from './guest-wish.ts'
import type { Lines } from './script.ts'
import type { Signals } from './signals.ts'
import { converse, printPage } from './talk.ts'

export interface FurtherTerminal {
  /** The data folder. */
  readonly folder: string
  readonly password: string | undefined
  /** Called when the client was reached. */
  readonly lines: () => Lines | undefined
  readonly signals: Signals
}

/** Resolves to the exit code. Rejects with a `start` failure where the client cannot be reached. */
export async function runFurtherTerminal(
  options: ClientArguments,
  { folder, password, lines, signals }: FurtherTerminal,
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
        lines: lines(),
        signals,
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

/** On standard error, where the client that runs does not serve guests as this terminal asks for. */
async function sayWhereGuestsAre({ operations }: RemoteClient, { guests }: ClientArguments): Promise<void> {
  if (guests === undefined) return
  const sentence = guestsElsewhere(guests, await operations.showGuestPlace())
  if (sentence !== undefined) process.stderr.write(`guests: ${sentence}\n`)
}
