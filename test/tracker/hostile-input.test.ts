// What arrives at a tracker's port that no client would send. None of it ends the tracker, and whatever
// can be answered is answered with a refusal. What the protocol itself makes of it is in hostile-lines.test.ts.

import fc from 'fast-check'
import { connect, type Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import type { Address } from '../../src/common/addresses.ts'
import { lineBytesBeforeLogin } from '../../src/common/limits.ts'
import { protocolVersion } from '../../src/common/version.ts'
import { TestClient } from './support/test-client.ts'
import { runTracker } from './support/test-tracker.ts'

const hello = line({ id: 0, method: 'hello', params: { protocol: protocolVersion, program: 'x' } })
const ping = line({ id: 99, method: 'ping', params: {} })

function line(fields: object): string {
  return `${JSON.stringify({ jsonrpc: '2.0', ...fields })}\n`
}

/** Sends the bytes, ends its side, and gives every line that came back until the tracker closed. */
function exchange(address: Address, bytes: string | Uint8Array): Promise<string[]> {
  return new Promise((resolve) => {
    const socket: Socket = connect(address.port, address.host)
    let text = ''
    socket.setEncoding('utf8')
    socket.on('data', (chunk: string) => (text += chunk))
    // A reset is an answer too: the tracker hung up while this end was still sending.
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(text.split('\n').filter((part) => part !== '')))
    socket.end(bytes)
    onTestFinished(() => {
      socket.destroy()
    })
  })
}

async function codes(address: Address, bytes: string): Promise<number[]> {
  const lines = await exchange(address, hello + bytes)
  return lines.slice(1).map((text) => {
    const message = JSON.parse(text) as { error?: { code: number } }
    return message.error?.code ?? 0
  })
}

/** The proof that the tracker lives: somebody else is served. */
async function isServing(address: Address): Promise<boolean> {
  const client = await TestClient.connect(address)
  await client.hello()
  return (await client.request('ping', {})).ok
}

test('empty lines are passed over', async () => {
  const { address } = await runTracker()
  expect(await codes(address, `\n\n\r\n${ping}`)).toEqual([0])
})

test('a line that is not JSON is answered and ends the connection, and others are served', async () => {
  const { address } = await runTracker()
  expect(await codes(address, `not json\n${ping}`)).toEqual([-32700])
  expect(await isServing(address)).toBe(true)
})

test('valid JSON of the wrong shape is refused', async () => {
  const { address } = await runTracker()
  const shapes = ['1', '"x"', 'null', 'true', '[]', '{}', '[{}]', '{"jsonrpc":"2.0"}', '{"jsonrpc":"1.0"}']
  const wrongIds = ['-1', '1.5', '"1"', '{}', '[]', '1e400'].map(
    (id) => `{"jsonrpc":"2.0","id":${id},"method":"ping","params":{}}`,
  )
  const all = [...shapes, ...wrongIds]
  expect(await codes(address, `${all.join('\n')}\n${ping}`)).toEqual([...all.map(() => -32600), 0])
})

test('users and groups named like the parts of every object are names like others, or none', async () => {
  const { address } = await runTracker()
  const client = await TestClient.loggedIn(address, 'constructor')
  expect(await client.change('create_group', { group: 'toString' })).toMatchObject({ ok: true })
  expect(await client.request('list_members', { group: 'valueOf' })).toMatchObject({
    refusal: { code: 'no-such-group' },
  })
  expect(await client.change('create_group', { group: '__proto__' })).toMatchObject({
    refusal: { code: 'invalid-params' },
  })
  expect(await client.request('list_groups', {})).toMatchObject({
    value: { groups: [{ group: 'toString', owner: 'constructor' }] },
  })
})

test('a line longer than allowed ends the connection, however it arrives', async () => {
  const { address } = await runTracker()
  const long = 'x'.repeat(4 * 1024 * 1024)
  expect(await codes(address, `${long}\n${ping}`)).toEqual([])
  expect(await codes(address, long)).toEqual([])
  const padded = `${' '.repeat(lineBytesBeforeLogin + 1 - ping.length)}${ping}`
  expect(await codes(address, padded)).toEqual([0])
  expect(await codes(address, ` ${padded}`)).toEqual([])
  expect(await isServing(address)).toBe(true)
})

test('deeply nested JSON is refused like other nonsense', async () => {
  const { address } = await runTracker()
  const deep = '['.repeat(2000) + ']'.repeat(2000)
  expect(await codes(address, `${deep}\n${ping}`)).toEqual([-32600, 0])
})

test('whatever bytes arrive, the tracker goes on serving', async () => {
  const { address } = await runTracker()
  const words = fc.constantFrom(hello, ping, '{"jsonrpc":"2.0","id":1,', '\n', '\0', '"', '{"bytes":9}\n')
  const junk = fc.array(fc.oneof(words, fc.string(), fc.string({ unit: 'binary' })), { maxLength: 20 })
  await fc.assert(
    fc.asyncProperty(junk, async (parts) => {
      await exchange(address, parts.join(''))
    }),
    { numRuns: 200 },
  )
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 3000 }), async (bytes) => {
      await exchange(address, bytes)
    }),
    { numRuns: 100 },
  )
  expect(await isServing(address)).toBe(true)
})
