// Encrypted connections between the real programs, with somebody on the line: what a listener learns, and what
// somebody in between achieves.

import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { TLSSocket } from 'node:tls'
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { makeIdentity } from '../../src/common/security/identity.ts'
import { secureContextOf } from '../../src/common/wire/tls.ts'
import { TestClient } from '../tracker/support/test-client.ts'
import { asksPlain, endsTls, makesPlain } from './in-between.ts'
import {
  annShares,
  benAsks,
  clientOf,
  keyFolder,
  listOf,
  names,
  secrets,
  startTracker,
  type StartedTracker,
} from './listened-world.ts'
import { RawPeer } from './raw-peer.ts'
import { blocksIn, foundIn, Line, type LineOptions } from './recording-proxy.ts'
import { isSame, MiB, pieceBytes, World } from './world.ts'

let world: World
beforeEach(() => {
  world = new World()
})
afterEach(() => world.close())

async function line(options: LineOptions): Promise<Line> {
  const opened = await Line.open(options)
  onTestFinished(() => opened.close())
  return opened
}

/** Who listens on both lines while a file is shared and fetched learns this. */
async function learnt(words: string[]): Promise<{ found: string[]; blocks: number[] }> {
  const tracker = await startTracker(world, words)
  const stage = await annShares(world, tracker, words, line)
  const ben = await benAsks(world, stage, words)
  await ben.until(`[C] [${names.group}] ${names.file}`)
  const [fetched, original] = [world.path('ben-files', names.file), world.path(names.file)]
  expect(isSame(fetched, original)).toBe(true)
  const taken = [stage.toTracker.taken, stage.toAnn.taken]
  expect(stage.toAnn.taken.heard.length).toBeGreaterThan(MiB)
  return {
    found: [...new Set(taken.flatMap((each) => foundIn(each, secrets(world, tracker))))],
    blocks: taken.map((each) => blocksIn(each, readFileSync(original))),
  }
}

test('who listens learns no name, password or key, and no byte of a file', async () => {
  expect(await learnt(['--tls'])).toEqual({ found: [], blocks: [0, 0] })
})

test('without encryption the same search finds names, keys and the file, and no password', async () => {
  const { found, blocks } = await learnt(['--insecure-plain'])
  for (const name of ['ann', 'ben', 'group', 'file', 'public key of ann', 'ticket of ben', 'session of ben'])
    expect(found).toContain(name)
  expect(found).not.toContain('password')
  expect(found.filter((name) => name.startsWith('secret'))).toEqual([])
  expect(blocks[0]).toBe(0)
  // All but those across the end of a piece.
  expect(blocks[1]).toBeGreaterThan(990)
})

test('a first start without a terminal is refused with the line to add, and with that line it works', async () => {
  const { port, fingerprint } = await startTracker(world)
  const refused = clientOf(world, 'ann', listOf(world, port))
  expect(await refused.ended()).toMatchObject({ code: 2 })
  expect(refused.stderr).toContain(`is not known here`)
  const added = `127.0.0.1:${port} ${fingerprint}`
  expect(refused.stderr).toContain(added)
  expect(refused.lines).toEqual([])
  const list = world.path('added.txt')
  writeFileSync(list, `${added}\n`)
  await clientOf(world, 'ann', list).does(`create_user ann ${names.password}`)
})

test('a tracker with a changed key is refused with both fingerprints, and is told nothing', async () => {
  const before = await startTracker(world)
  await before.program.kill()
  renameSync(world.path('tracker-data', keyFolder, 'identity.pem'), world.path('old.pem'))
  const now = await startTracker(world, ['--tls'], before.port)
  const there = await line({ target: { host: '127.0.0.1', port: now.port } })
  const ann = clientOf(world, 'ann', listOf(world, there.port, before.fingerprint))
  const sentence = `has another key: ${now.fingerprint} instead of ${before.fingerprint}`
  expect((await ann.ask(`create_user ann ${names.password}`)).join('\n')).toContain(sentence)
  expect(await accounts(now)).toBe('users 0')
})

/** How many there are, as the tracker's operator sees it. */
async function accounts({ program }: StartedTracker): Promise<string | undefined> {
  const since = program.mark()
  program.write('status')
  return (await program.until(/^users \d+/, since)).split(',')[0]
}

test('somebody in between reads nothing of a client, and nobody is registered or logged in through it', async () => {
  const tracker = await startTracker(world)
  const direct = clientOf(world, 'ann', listOf(world, tracker.port, tracker.fingerprint))
  await direct.does(`create_user ${names.ann} ${names.password}`)
  const read: Buffer[] = []
  for (const [instead, isNoted] of [
    [endsTls(tracker.port, read), false],
    [makesPlain(tracker.port), true],
    [asksPlain(tracker.port), true],
  ] as const) {
    const between = await line({ instead })
    const ben = clientOf(world, 'ben', listOf(world, between.port, tracker.fingerprint))
    for (const command of ['create_user', 'login'])
      expect((await ben.ask(`${command} ${names.ann} ${names.password}`)).at(0)).toMatch(/^error: /)
    expect(between.taken.said[0]).toBe(isNoted ? 0x16 : undefined)
    expect(foundIn(between.taken, { ...names, line: '{"jsonrpc"' })).toEqual([])
    await ben.quit()
  }
  expect(Buffer.concat(read)).toEqual(Buffer.alloc(0))
  expect(await accounts(tracker)).toBe('users 1')
  const since = tracker.program.mark()
  tracker.program.write('status')
  expect(await tracker.program.until(/^users/, since)).toContain('connected 0')
})

test('a program at the address of a peer that has another key is shown no ticket', async () => {
  const words = ['--tls']
  const stage = await annShares(world, await startTracker(world), words, line)
  const { toAnn } = stage
  const read: Buffer[] = []
  let calls = 0
  const other = makeIdentity()
  toAnn.options.instead = (caller) => {
    const near = new TLSSocket(caller, { isServer: true, secureContext: secureContextOf(other.forTls) })
    near.on('error', () => near.destroy())
    near.on('data', (bytes: Buffer) => read.push(bytes))
    calls++
  }
  const ben = await benAsks(world, stage, words)
  await vi.waitUntil(() => calls > 1, { timeout: 15_000 })
  expect(Buffer.concat(read)).toEqual(Buffer.alloc(0))
  // The right one is back.
  toAnn.options.instead = undefined
  await ben.until(`[C] [${names.group}] ${names.file}`)
})

test('a stolen ticket is worth nothing without its key, and a proof nothing on another connection', async () => {
  const tracker = await startTracker(world)
  const { toAnn, ann } = await annShares(world, tracker, ['--tls'], line)
  const cem = await TestClient.connect({ host: '127.0.0.1', port: tracker.port }, undefined, true)
  await cem.hello()
  await cem.register('cem', names.password)
  expect(await cem.login('cem', names.password)).toMatchObject({ ok: true })
  await cem.change('join_group', { group: names.group })
  await ann.does(`accept_request ${names.group} cem`)
  const found = await cem.request('find_file', { group: names.group, name: names.file })
  if (!found.ok) throw new Error(found.refusal.sentence)
  const { ticket, fileId } = found.value
  const thief = await RawPeer.connect(toAnn.port, makeIdentity(), undefined, true)
  expect(await thief.fetch(ticket, fileId)).toBe('proof-failed')
  // Somebody in between gets a proof of the right key, made for the connection to himself.
  const [between, other] = [
    await RawPeer.connect(toAnn.port, cem.identity, undefined, true),
    await RawPeer.connect(toAnn.port, cem.identity, undefined, true),
  ]
  await between.hello(ticket)
  expect(await between.prove(other.binding)).toMatchObject({ refusal: { code: 'proof-failed' } })
  const plain = await RawPeer.connect(toAnn.port, cem.identity, undefined, true)
  await plain.hello(ticket)
  expect(await plain.prove(null)).toMatchObject({ refusal: { code: 'proof-failed' } })
  expect(await other.fetch(ticket, fileId)).toBe(pieceBytes)
})

test('a key that is asked about at a terminal is asked about once', async () => {
  const { spawn } = await import('@lydell/node-pty')
  const { port, fingerprint } = await startTracker(world)
  const [list, main] = [listOf(world, port), new URL('../../dist/client/main.js', import.meta.url).pathname]
  /** Starts the client, and what its screen has shown when it waits for a command. */
  const start = async (answer?: string): Promise<string> => {
    const child = spawn(
      process.execPath,
      [main, '127.0.0.1:0', list, '--tls', '--data-dir', world.path('person')],
      { name: 'xterm', cols: 300, rows: 30, env: { PATH: process.env['PATH'] ?? '', TERM: 'xterm' } },
    )
    let [output, isOver] = ['', false]
    const exited = new Promise<number>((resolve) => child.onExit(({ exitCode }) => resolve(exitCode)))
    void exited.then(() => (isOver = true))
    onTestFinished(() => void (isOver || child.kill('SIGKILL')))
    child.onData((data) => (output += data))
    const see = (text: string): Promise<void> =>
      vi.waitFor(() => expect(output).toContain(text), { timeout: 15_000, interval: 20 })
    if (answer !== undefined) {
      await see('(yes/no)')
      child.write(`${answer}\r`)
    }
    if (answer === 'no') {
      expect(await exited).toBe(2)
      return output
    }
    await see('coterie\u001B[22m>')
    child.write('quit\r')
    expect(await exited).toBe(0)
    return output
  }
  expect(await start('no')).toContain('is not trusted; nothing was sent to it')
  const first = await start('yes')
  expect(first).toContain(fingerprint)
  expect(readFileSync(world.path('person', 'known_trackers'), 'utf8')).toContain(fingerprint)
  expect(await start()).not.toContain('yes/no')
})
