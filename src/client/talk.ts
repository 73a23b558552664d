// The prompt of a terminal of the client, be it of this process or of another.

import { join } from 'node:path'
import { exitCodeOf } from '../common/ending.ts'
import { Failure } from '../common/failure.ts'
import type { ClientArguments } from './arguments.ts'
import type { Client } from './client.ts'
import type { RemoteClient } from './control/remote-client.ts'
import { runPrompt } from './prompt/prompt.ts'
import type { Lines } from './script.ts'
import type { Signals } from './signals.ts'

/** The terminal obeys no control sequences. */
export const isDumb = process.env['TERM'] === 'dumb'

export interface Talk {
  /** The data folder. */
  readonly folder: string
  /** For commands that need one which is not typed. */
  readonly password: string | undefined
  /** Of a script that does not come from a terminal. */
  readonly lines: Lines | undefined
  readonly signals: Signals
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
export async function converse(
  client: Client | RemoteClient,
  { linger, script, isJson, stopsAtError }: ClientArguments,
  { folder, password, lines, signals, endsClient, greeting, contact, gone }: Talk,
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
    onInterrupt: (listener) => signals.onInterrupt(listener),
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
    stop: gone === undefined ? signals.stop : AbortSignal.any([signals.stop, gone]),
    greeting,
    ...(contact === undefined ? {} : { contact }),
  })
  const { stoppedBy } = signals
  if (stoppedBy === undefined) return code
  // A finished script that only lingers is meant to be ended by a signal: nothing was cut short.
  const downloads = isLingering ? await client.operations.showDownloads() : []
  const isThrough = isLingering && downloads.every(({ state }) => state === 'complete' || state === 'failed')
  return isThrough && stoppedBy !== 'SIGHUP' ? code : exitCodeOf(stoppedBy)
}

/** On standard error, since the replies of a script are on the other. Rejects with a `start` failure. */
export async function printPage(
  { operations }: Client | RemoteClient,
  { webPort }: ClientArguments,
): Promise<void> {
  if (webPort === undefined) return
  const page = await operations.showPage(webPort)
  if (!page.ok) throw new Failure('start', page.refusal.sentence)
  process.stderr.write(
    `page: ${page.value.link} (opens once, within two minutes; show_page prints another)\n`,
  )
}
