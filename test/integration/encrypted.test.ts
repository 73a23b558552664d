// Encrypted connections between the real programs, with somebody on the line: what a listener learns, and what
// somebody in between achieves.

import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { connect as connectSecurely, TLSSocket } from 'node:tls'
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { fingerprintOf, loadIdentity, makeIdentity } from '../../src/common/security/identity.ts'
import { secureContextOf } from '../../src/common/wire/tls.ts'
import { TestClient } from '../tracker/support/test-client.ts'
import type { Program } from './programs.ts'
import { RawPeer } from './raw-peer.ts'
import { blocksIn, foundIn, Line, type Instead, type LineOptions } from './recording-proxy.ts'
import { isSame, MiB, pieceBytes, World } from './world.ts'

let world: World
beforeEach(() => {
  world = new World()
})
afterEach(() => world.close())

/** So long that none of them stands in random bytes by chance. */
const names = {
  ann: 'annabel-lee-1849',
  ben: 'benjamin-button-1922',
  group: 'the-secret-society',
  file: 'plans-for-the-moon.bin',
  password: 'correct-horse-battery-staple',
}

/** Where the tracker keeps its key. */
const trackerFolder = ['tracker-data', 'tracker-1']

/** The address of Ann's machine, as the tracker sees it. */
const annHost = '127.0.0.9'

interface Tracker {
  readonly program: Program
  readonly port: number
  readonly fingerprint: string
}

/** On the same data each time. */
async function startTracker(words = ['--tls'], port = 0): Promise<Tracker> {
  const all = ['127.0.0.1', String(port), '--data-dir', world.path('tracker-data'), ...words]
  const program = world.run('tracker', 'tracker', all)
  const line = await program.until(/^tracker 1 listening on 127\.0\.0\.1:\d+$/)
  const fingerprint = fingerprintOf(loadIdentity(world.path(...trackerFolder)).publicKey)
  return { program, port: Number(line.split(':').at(-1)), fingerprint }
}

async function line(options: LineOptions): Promise<Line> {
  const opened = await Line.open(options)
  onTestFinished(() => opened.close())
  return opened
}

/** A list with this one tracker, as its user writes it. */
function listOf(port: number, pin = ''): string {
  const path = world.path(`list-${port}-${pin.length}.txt`)
  writeFileSync(path, `127.0.0.1:${port} ${pin}\n`)
  return path
}

function client(name: string, list: string, words = ['--tls'], port = 0): Program {
  return world.run(name, 'client', [`127.0.0.1:${port}`, list, '--data-dir', world.path(name), ...words])
}

interface Stage {
  readonly tracker: Tracker
  /** Between the clients and the tracker, and between Ben and Ann. */
  readonly toTracker: Line
  readonly toAnn: Line
  readonly ann: Program
  readonly list: string
}

/** Ann shares a file in her group. Her own line to the tracker makes her seem to live elsewhere: at the line to her. */
async function annShares(words: string[]): Promise<Stage> {
  const tracker = await startTracker(words)
  const target = { host: '127.0.0.1', port: tracker.port }
  const toTracker = await line({ target, from: annHost })
  const toAnn = await line({ host: annHost })
  toAnn.options.target = { host: '127.0.0.1', port: toAnn.port }
  const list = listOf(toTracker.port, words.includes('--tls') ? tracker.fingerprint : '')
  const ann = client('ann', list, words, toAnn.port)
  await ann.does(`create_user ${names.ann} ${names.password}`, `login ${names.ann} ${names.password}`)
  await ann.does(
    `create_group ${names.group}`,
    `upload_file ${world.makeFile(names.file, MiB)} ${names.group}`,
  )
  return { tracker, toTracker, toAnn, ann, list }
}

/** Ben joins, and asks for the file. */
async function benAsks({ ann, list }: Stage, words: string[]): Promise<Program> {
  const ben = client('ben', list, words)
  await ben.does(`create_user ${names.ben} ${names.password}`, `login ${names.ben} ${names.password}`)
  await ben.does(`join_group ${names.group}`)
  const since = ben.mark()
  await ann.does(`accept_request ${names.group} ${names.ben}`)
  await ben.until(`you are now a member of ${names.group}`, since)
  await ben.does(`download_file ${names.group} ${names.file} ${world.makeFolder('ben-files')}`)
  return ben
}

/** All that nobody on the line may learn. */
function secrets(): Record<string, Buffer | string> {
  const keys = [['ann'], ['ben'], trackerFolder].map((folder) => {
    const { publicKey, forTls } = loadIdentity(world.path(...folder))
    const secret = Buffer.from(forTls.key.replaceAll(/-----.*-----|\n/g, ''), 'base64').subarray(-32)
    return [
      [`public key of ${folder[0]}`, Buffer.from(publicKey, 'base64url')],
      [`secret key of ${folder[0]}`, secret],
      [`fingerprint of ${folder[0]}`, fingerprintOf(publicKey).slice('sha256:'.length)],
    ] as const
  })
  return { ...names, ...Object.fromEntries(keys.flat()), 'beginning of a message': '{"jsonrpc"' }
}

/** Who listens on both lines while a file is shared and fetched learns this. */
async function learnt(words: string[]): Promise<{ found: string[]; blocks: number[] }> {
  const stage = await annShares(words)
  const ben = await benAsks(stage, words)
  await ben.until(`[C] [${names.group}] ${names.file}`)
  const [fetched, original] = [world.path('ben-files', names.file), world.path(names.file)]
  expect(isSame(fetched, original)).toBe(true)
  const taken = [stage.toTracker.taken, stage.toAnn.taken]
  expect(stage.toAnn.taken.heard.length).toBeGreaterThan(MiB)
  return {
    found: [...new Set(taken.flatMap((each) => foundIn(each, secrets())))],
    blocks: taken.map((each) => blocksIn(each, readFileSync(original))),
  }
}

test('who listens learns no name, password or key, and no byte of a file', async () => {
  expect(await learnt(['--tls'])).toEqual({ found: [], blocks: [0, 0] })
})

test('without encryption the same search finds names, keys and the file, and no password', async () => {
  const { found, blocks } = await learnt(['--insecure-plain'])
  for (const name of ['ann', 'ben', 'group', 'file', 'public key of ann', 'beginning of a message'])
    expect(found).toContain(name)
  expect(found).not.toContain('password')
  expect(found.filter((name) => name.startsWith('secret'))).toEqual([])
  expect(blocks[0]).toBe(0)
  // All but those across the end of a piece.
  expect(blocks[1]).toBeGreaterThan(990)
})

test('a first start without a terminal is refused with the line to add, and with that line it works', async () => {
  const { port, fingerprint } = await startTracker()
  const refused = client('ann', listOf(port))
  expect(await refused.ended()).toMatchObject({ code: 2 })
  expect(refused.stderr).toContain(`is not known here`)
  const added = `127.0.0.1:${port} ${fingerprint}`
  expect(refused.stderr).toContain(added)
  expect(refused.lines).toEqual([])
  const list = world.path('added.txt')
  writeFileSync(list, `${added}\n`)
  await client('ann', list).does(`create_user ann ${names.password}`)
})

test('a tracker with a changed key is refused with both fingerprints, and is told nothing', async () => {
  const before = await startTracker()
  await before.program.kill()
  renameSync(world.path(...trackerFolder, 'identity.pem'), world.path('old.pem'))
  const now = await startTracker(['--tls'], before.port)
  const there = await line({ target: { host: '127.0.0.1', port: now.port } })
  const ann = client('ann', listOf(there.port, before.fingerprint))
  const sentence = `has another key: ${now.fingerprint} instead of ${before.fingerprint}`
  expect((await ann.ask(`create_user ann ${names.password}`)).join('\n')).toContain(sentence)
  expect(await accounts(now)).toBe('users 0')
})

/** How many there are, as the tracker's operator sees it. */
async function accounts({ program }: Tracker): Promise<string | undefined> {
  const since = program.mark()
  program.write('status')
  return (await program.until(/^users \d+/, since)).split(',')[0]
}

/** Ends TLS here, shows a key of its own, and goes on to the tracker: what it could read of a caller. */
function endsTls(port: number, read: Buffer[]): Instead {
  const own = makeIdentity()
  return (caller) => {
    const near = new TLSSocket(caller, { isServer: true, secureContext: secureContextOf(own.forTls) })
    const far = connectSecurely({ host: '127.0.0.1', port, rejectUnauthorized: false })
    for (const each of [near, far]) each.on('error', () => each.destroy())
    near.on('data', (bytes: Buffer) => read.push(bytes))
    near.pipe(far).pipe(near)
    near.on('close', () => far.destroy())
  }
}

/** Makes the first byte of a caller that of a line. */
function makesPlain(port: number): Instead {
  return (caller, note) => {
    const far = connect(port, '127.0.0.1')
    far.on('error', () => caller.destroy())
    caller.on('data', note)
    caller.once('data', (bytes: Buffer) => {
      far.write(Buffer.concat([Buffer.from('{'), bytes.subarray(1)]))
      caller.pipe(far).pipe(caller)
    })
  }
}

/** Says a plain hello of its own, and hands on what the tracker answers. */
function asksPlain(port: number): Instead {
  return (caller, note) => {
    const far = connect(port, '127.0.0.1')
    far.on('error', () => caller.destroy())
    far.write('{"jsonrpc":"2.0","id":0,"method":"hello","params":{"protocol":2,"program":"other"}}\n')
    caller.on('data', note)
    far.pipe(caller)
  }
}

test('somebody in between reads nothing of a client, and nobody is registered or logged in through it', async () => {
  const tracker = await startTracker()
  const direct = client('ann', listOf(tracker.port, tracker.fingerprint))
  await direct.does(`create_user ${names.ann} ${names.password}`)
  const read: Buffer[] = []
  for (const [instead, isNoted] of [
    [endsTls(tracker.port, read), false],
    [makesPlain(tracker.port), true],
    [asksPlain(tracker.port), true],
  ] as const) {
    const between = await line({ instead })
    const ben = client('ben', listOf(between.port, tracker.fingerprint))
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
  const stage = await annShares(words)
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
  const ben = await benAsks(stage, words)
  await vi.waitUntil(() => calls > 1, { timeout: 15_000 })
  expect(Buffer.concat(read)).toEqual(Buffer.alloc(0))
  // The right one is back.
  toAnn.options.instead = undefined
  await ben.until(`[C] [${names.group}] ${names.file}`)
})

test('a stolen ticket is worth nothing without its key, and a proof nothing on another connection', async () => {
  const { tracker, toAnn, ann } = await annShares(['--tls'])
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
  const { port, fingerprint } = await startTracker()
  const [list, main] = [listOf(port), new URL('../../dist/client/main.js', import.meta.url).pathname]
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
