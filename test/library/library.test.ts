// The library, with a client that only remembers what it was asked.

import { chmodSync, mkdirSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { ControlServer } from '../../src/client/control/server.ts'
import type { ClientEvent } from '../../src/client/operations.ts'
import { refuse } from '../../src/common/refusal.ts'
import { connect, Failure, type Connection } from '../../src/library/main.ts'
import { fakeClient, type FakeClient } from '../client/prompt/fake-operations.ts'
import { temporaryFolder } from '../client/temporary-folder.ts'

interface Running extends FakeClient {
  readonly folder: string
  readonly listeners: Set<(event: ClientEvent) => void>
  end(): Promise<void>
  happens(...names: readonly string[]): void
}

const listen = '127.0.0.1:4444'

/** A client that runs, as far as other processes see. */
async function running(folder = realpathSync(temporaryFolder())): Promise<Running> {
  const client = fakeClient()
  const listeners = new Set<(event: ClientEvent) => void>()
  const server = await ControlServer.start({
    folder,
    listen,
    operations: client.operations,
    subscribe: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    onFailure: (error) => {
      throw error
    },
  })
  let ending: Promise<void> | undefined
  const end = (): Promise<void> => (ending ??= server.close())
  onTestFinished(end)
  const happens = (...names: readonly string[]): void => {
    for (const sentence of names) for (const listener of listeners) listener({ kind: 'notice', sentence })
  }
  return { ...client, folder, listeners, end, happens }
}

async function connected(client: Running): Promise<Connection> {
  const connection = await connect({ dataFolder: client.folder })
  onTestFinished(() => connection.close())
  return connection
}

function notice(sentence: string): ClientEvent {
  return { kind: 'notice', sentence }
}

test('operations ask the client that runs, and an expected no is a value', async () => {
  const client = await running()
  const connection = await connected(client)
  expect(await connection.createGroup('family', true)).toEqual({ ok: true })
  expect(client.calls).toEqual(['createGroup("family", true)'])
  client.answers.joinGroup = async () => refuse('no-such-group', 'there is no group nobody')
  expect(await connection.joinGroup('nobody')).toEqual(refuse('no-such-group', 'there is no group nobody'))
})

test('a relative path is one of the process that asks', async () => {
  const client = await running()
  const connection = await connected(client)
  await connection.uploadFile('README.md', 'family')
  expect(client.calls).toEqual([`uploadFile(${JSON.stringify(join(process.cwd(), 'README.md'))}, "family")`])
})

test('a client is found by where it listens, in the folder that it has by default', async () => {
  const data = realpathSync(temporaryFolder())
  vi.stubEnv('XDG_DATA_HOME', data)
  onTestFinished(() => void vi.unstubAllEnvs())
  await expect(connect({ listen })).rejects.toThrow(
    new Failure('start', 'no client runs on 127.0.0.1:4444; start one first'),
  )
  const folder = join(data, 'coterie', 'client-127.0.0.1_4444')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  await running(folder)
  const connection = await connect({ listen })
  expect(await connection.createGroup('family')).toEqual({ ok: true })
  await connection.close()
})

test('who is not found, or is another, is a failure with a sentence', async () => {
  const client = await running()
  const failureOf = async (where: object): Promise<string> =>
    connect(where as { listen: string }).then(
      () => 'connected',
      (error: Failure) => `${error.code}: ${error.message}`,
    )
  const { folder } = client
  expect(await failureOf({})).toBe('usage: say which client is meant: connect({ listen: "127.0.0.1:4444" })')
  expect(await failureOf({ listen: 'home' })).toBe('usage: "home" is not an address like 127.0.0.1:9002')
  expect(await failureOf({ dataFolder: folder, listen: '127.0.0.1:5555' })).toMatch(
    /^start: another client uses this folder, and listens on 127\.0\.0\.1:4444/,
  )
  chmodSync(folder, 0o777)
  expect(await failureOf({ dataFolder: folder })).toMatch(/^start: other users can write to the folder/)
  chmodSync(folder, 0o700)
  await client.end()
  expect(await failureOf({ dataFolder: folder })).toBe(`start: no client runs in ${folder}; start one first`)
  expect(await failureOf({ dataFolder: join(folder, 'none') })).toMatch(/^start: no client runs in /)
})

test('events come in order, also those from before they are read, and a loop that is left hears no more', async () => {
  const client = await running()
  const connection = await connected(client)
  const events = connection.events()
  client.happens('one', 'two')
  const read: ClientEvent[] = []
  for await (const event of events) {
    read.push(event)
    if (read.length === 2) client.happens('three')
    if (read.length === 3) break
  }
  expect(read).toEqual(['one', 'two', 'three'].map(notice))
  expect(await events.next()).toEqual({ done: true, value: undefined })
})

test('each loop has all events, and none from before it', async () => {
  const client = await running()
  const connection = await connected(client)
  const first = connection.events()
  client.happens('one')
  expect((await first.next()).value).toEqual(notice('one'))
  const second = connection.events()
  client.happens('two')
  expect([(await first.next()).value, (await second.next()).value]).toEqual([notice('two'), notice('two')])
})

test('a loop ends when the connection is closed, and when the client ends', async () => {
  for (const who of ['connection', 'client']) {
    const client = await running()
    const connection = await connected(client)
    const events = connection.events()
    client.happens('one')
    const all = (async () => {
      const read: ClientEvent[] = []
      for await (const event of events) read.push(event)
      return read
    })()
    // Its answer comes behind the event.
    await connection.listGroups()
    await (who === 'client' ? client.end() : connection.close())
    expect(await all).toEqual([notice('one')])
    expect(await connection.events().next()).toEqual({ done: true, value: undefined })
    await expect(connection.listGroups()).rejects.toThrow(Failure)
  }
})

test('whoever asks is told that the client has ended', async () => {
  const client = await running()
  const connection = await connected(client)
  await client.end()
  await connection.ended
  await expect(connection.listGroups()).rejects.toMatchObject({ code: 'connection-lost' })
})

test('events that nobody reads are not kept for ever: the loop fails, and its next one ends', async () => {
  const client = await running()
  const connection = await connected(client)
  const [unread, read] = [connection.events(), connection.events()]
  client.happens(...Array.from({ length: 10_001 }, (_, at) => String(at)))
  for (let at = 0; at < 10_000; at++) await read.next()
  await connection.listGroups()
  await expect(unread.next()).rejects.toThrow(/10000 events were not read/)
  expect(await unread.next()).toEqual({ done: true, value: undefined })
})
