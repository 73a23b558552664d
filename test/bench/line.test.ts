// The line of the lab, between two namespaces. Skipped where these, or its program, cannot be made.

import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compileLine, Line } from '../../bench/lab/line.ts'
import { whyNoLab } from '../../bench/lab/needs.ts'
import { Namespaces } from '../namespaces.ts'

const folder = mkdtempSync(join(tmpdir(), 'coterie-line-'))
const compiled = compileLine(folder)
const why = 'why' in compiled ? compiled.why : whyNoLab()
const skipped = why === undefined ? '' : ` (skipped: ${why.replaceAll(/[()]/g, ' ')})`
const [near, far] = ['10.99.0.1', '10.99.0.2']
/** The namespaces are new, so any is free there. */
const port = 9100
const bytes = 4 * 1024 * 1024
const content = Buffer.alloc(bytes, 'what is sent over the line, and comes as it was sent; ')
const sender = `
  const content = Buffer.alloc(${bytes}, 'what is sent over the line, and comes as it was sent; ')
  require('node:net').createServer((socket) => socket.end(content)).listen(${port}, '${near}', () => console.log('ready'))`
const receiver = `
  const hash = require('node:crypto').createHash('sha256')
  const begun = performance.now()
  require('node:net').connect(${port}, '${near}')
    .on('connect', () => console.log(performance.now() - begun))
    .on('data', (chunk) => hash.update(chunk))
    .on('end', () => console.log(hash.digest('hex')))`

describe.skipIf(why !== undefined)(`the line of the lab${skipped}`, () => {
  let spaces: Namespaces
  let line: Line
  let server: ReturnType<typeof spawn>

  beforeAll(async () => {
    spaces = new Namespaces()
    for (const machine of ['near', 'far']) spaces.add(machine)
    line = await Line.open('program' in compiled ? compiled.program : '', spaces, ['near', 'far'], 'line')
    spaces.ip('near', 'addr', 'add', near, 'peer', far, 'dev', 'line')
    spaces.ip('far', 'addr', 'add', far, 'peer', near, 'dev', 'line')
    server = spawn('env', [...spaces.at('near'), process.execPath, '-e', sender])
    if (server.stdout !== null) await once(server.stdout, 'data')
  })
  afterAll(async () => {
    server.kill()
    await line.close()
    spaces.close()
    rmSync(folder, { recursive: true, force: true })
  })

  /** How long it took to connect, and the hash of what came. */
  function receive(): { connectedMs: number; hash: string } {
    const words = [...spaces.at('far'), process.execPath, '-e', receiver]
    const { stdout } = spawnSync('env', words, { encoding: 'utf8', timeout: 50_000 })
    const [connectedMs = '', hash = ''] = stdout.split('\n')
    return { connectedMs: Number(connectedMs), hash }
  }

  test('what is lost on it is sent again, and all comes as it was sent', async () => {
    const was = await line.become({ roundTripMs: 4, loss: 0.02, rateMbit: 1000 })
    expect(receive().hash).toBe(createHash('sha256').update(content).digest('hex'))
    const { there, back } = await line.become({ roundTripMs: 4, loss: 0, rateMbit: 1000 })
    // Runs of segments are cut where one is lost, so each is counted by itself.
    const segments = there.segments - was.there.segments
    expect(segments).toBeGreaterThan(bytes / 1500)
    expect((there.lost - was.there.lost) / segments).toBeGreaterThan(0.01)
    expect((there.lost - was.there.lost) / segments).toBeLessThan(0.04)
    expect(back.segments).toBeGreaterThan(0)
  })

  test('it has its delay, and carries no more than its rate', async () => {
    await line.become({ roundTripMs: 100, loss: 0, rateMbit: 100 })
    const begunMs = performance.now()
    const { connectedMs, hash } = receive()
    expect(hash).toBe(createHash('sha256').update(content).digest('hex'))
    expect(connectedMs).toBeGreaterThanOrEqual(100)
    expect(performance.now() - begunMs).toBeGreaterThan((bytes * 8) / 100e3)
  })
})
