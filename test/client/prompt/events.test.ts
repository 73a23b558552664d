// Commands that wait: for downloads, no longer than they may, and for whatever happens.

import { PassThrough, Readable, Writable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { exitCodes } from '../../../src/client/prompt/exit-codes.ts'
import { runPrompt } from '../../../src/client/prompt/prompt.ts'
import { download, fakeClient } from './fake-operations.ts'
import { collector, runScript } from './script.ts'

describe('events', () => {
  /** Follows the events of a client, as JSON, into this output. */
  function follow(output: Writable, stop?: AbortSignal) {
    const client = fakeClient()
    const ended = runPrompt({
      operations: client.operations,
      subscribe: client.subscribe,
      input: Readable.from(['events\nwhoami\n']),
      output,
      isTerminal: false,
      linger: false,
      ...(stop !== undefined && { stop }),
      script: { isJson: true },
    })
    return { client, ended }
  }

  test('come out as they happen, for ever, until it is stopped', async () => {
    const output = new PassThrough({ encoding: 'utf8' })
    const stop = new AbortController()
    const { client, ended } = follow(output, stop.signal)
    for (const group of ['g1', 'g2']) {
      await new Promise<void>((resolve) => setImmediate(resolve))
      client.emit({ kind: 'became-owner', group })
      expect(JSON.parse(String(await new Promise((resolve) => output.once('data', resolve))))).toEqual({
        type: 'event',
        event: 'became-owner',
        group,
      })
    }
    stop.abort()
    expect(await ended).toBe(0)
    expect(client.calls).toEqual([])
    expect(output.read()).toBeNull()
  })

  test('end with the next event when the reader is gone, and that is no success', async () => {
    const gone = Object.assign(new Error('gone'), { code: 'EPIPE' })
    const { client, ended } = follow(new Writable({ write: (_chunk, _encoding, done) => done(gone) }))
    await new Promise<void>((resolve) => setImmediate(resolve))
    client.emit({ kind: 'tracker-back' })
    expect(await ended).toBe(1)
  })
})

describe('wait', () => {
  test('with a time to wait for fails with a code of its own, and says how many downloads go on', async () => {
    const client = fakeClient()
    client.downloads.push(
      download({ name: 'f', state: 'running' }),
      download({ name: 'h', state: 'running' }),
    )
    client.answers.downloadsSettled = async ({ timeoutMs } = {}) => timeoutMs === undefined
    const { lines, exitCode } = await runScript(['wait g1 --timeout 1.5m', 'quit'], { client })
    expect(client.calls).toEqual(['downloadsSettled({"group":"g1","timeoutMs":90000})'])
    expect(lines).toEqual(['error: 2 downloads still run after 1.5m; they go on', 'bye'])
    expect(exitCode).toBe(exitCodes.timeout)
  })

  test('for one file says that it is complete, or fails and says why it is not', async () => {
    const client = fakeClient()
    client.downloads.push(
      download({ name: 'f', state: 'complete' }),
      download({ name: 'h', state: 'failed', why: 'nobody has it' }),
    )
    const { lines, exitCode } = await runScript(['wait g1 f', 'wait g1 h', 'wait g1 i'], { client })
    expect(lines).toEqual([
      'f from g1 is complete',
      'error: h from g1 is failed: nobody has it',
      'error: there is no download of i from g1',
    ])
    expect(exitCode).toBe(exitCodes.refused)
  })

  test.each(['soon', '0s', '25d', '5 m'])('takes no "%s" for a duration', async (text) => {
    const client = fakeClient()
    const { exitCode } = await runScript([`wait --timeout "${text}"`, 'quit'], { client })
    expect([exitCode, client.calls]).toEqual([exitCodes.usage, []])
  })
})

test('waiting for all downloads leaves nothing behind in the output', async () => {
  const { output, printed } = collector()
  const client = fakeClient()
  const input = Readable.from(['wait\nquit\n'])
  await runPrompt({ ...client, input, output, isTerminal: false, linger: false })
  expect(printed()).toBe('no download is running\nbye\n')
})
