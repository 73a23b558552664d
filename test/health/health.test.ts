// What a container asks for the health of its tracker, as a program.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { runTracker, temporaryFolder } from '../tracker/support/test-tracker.ts'

const program = fileURLToPath(new URL('../../dist/health/main.js', import.meta.url))

/** Asks for the tracker that listens at this port. */
async function ask(port: number, ...options: string[]): Promise<{ code: number | null; said: string }> {
  const list = join(temporaryFolder(), 'tracker_info.txt')
  writeFileSync(list, `127.0.0.1:${port}\n`)
  const asking = spawn(process.execPath, [program, list, '1', ...options])
  let said = ''
  for (const stream of [asking.stdout, asking.stderr])
    stream.on('data', (bytes: Buffer) => (said += bytes.toString()))
  const [code] = (await once(asking, 'close')) as [number | null]
  return { code, said }
}

test('a tracker that answers is well, and nothing is said', async () => {
  const tracker = await runTracker()
  expect(await ask(tracker.address.port)).toEqual({ code: 0, said: '' })
})

test('a tracker that takes only encrypted connections is asked over one', async () => {
  const tracker = await runTracker(undefined, 1, undefined, 'always')
  expect(await ask(tracker.address.port, '--tls')).toEqual({ code: 0, said: '' })
})

test('where nobody listens, or whoever takes the connection never answers, nobody is well', async () => {
  const mute = createServer((socket) => socket.resume()).listen(0, '127.0.0.1')
  await once(mute, 'listening')
  const { port } = mute.address() as { port: number }
  expect(await ask(port)).toEqual({ code: 1, said: expect.stringMatching(/^error: .*no answer/s) as string })
  await new Promise((resolve) => mute.close(resolve))
  expect(await ask(port)).toMatchObject({
    code: 1,
    said: expect.stringMatching(/^error: .*127\.0\.0\.1/) as string,
  })
})
