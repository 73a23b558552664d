// Runs a script through the prompt, as if it were piped in.

import { Readable, Writable } from 'node:stream'
import { runPrompt } from '../../../src/client/prompt/prompt.ts'
import type { FakeClient } from './fake-operations.ts'
import { fakeClient } from './fake-operations.ts'

export interface Outcome {
  /** What was printed, line by line. */
  readonly lines: string[]
  readonly exitCode: number
}

export interface ScriptOptions {
  readonly client?: FakeClient
  readonly linger?: boolean
  readonly stop?: AbortSignal
}

/** `script`: lines, or chunks of bytes as a pipe may deliver them. */
export async function runScript(
  script: readonly (string | Buffer)[],
  options: ScriptOptions = {},
): Promise<Outcome> {
  const client = options.client ?? fakeClient()
  const chunks = script.map((part) => (typeof part === 'string' ? Buffer.from(`${part}\n`) : part))
  const { output, printed } = collector()
  const exitCode = await runPrompt({
    operations: client.operations,
    subscribe: client.subscribe,
    input: Readable.from(chunks, { objectMode: true }),
    output,
    isTerminal: false,
    linger: options.linger ?? false,
    stop: options.stop,
  })
  const lines = printed().split('\n')
  if (lines.pop() !== '') throw new Error('the last line has no end')
  return { lines, exitCode }
}

export function collector(): { output: Writable; printed: () => string } {
  let text = ''
  const output = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString()
      done()
    },
  })
  return { output, printed: () => text }
}
