// The routers of the lab do what they are there for. Skipped where no namespaces can be made.

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Internet, memberPort, sites, trackerHost, trackerPort } from '../../bench/lab/internet.ts'
import { whyNoLab } from '../../bench/lab/needs.ts'

const why = whyNoLab()
const skipped = why === undefined ? '' : ` (skipped: ${why.replaceAll(/[()]/g, ' ')})`
/** Nothing but the port of the office differs from the other one. */
const otherPort = 9002
/** What is to come to nothing at all, rather than to a refusal, is given up after the second try of the kernel. */
const inVainMs = 1500
const patienceMs = 20_000

/** Tells whoever connects from where, as seen here. */
const server = (...ports: readonly number[]): string => `
  const { createServer } = require('node:net')
  let left = ${ports.length}
  for (const port of [${ports.join()}])
    createServer((socket) => socket.end(socket.remoteAddress + ':' + socket.remotePort))
      .listen(port, '0.0.0.0', () => { if (--left === 0) console.log('ready') })`

/** Prints what it is told, the code of an error, or "nothing". */
const dial = (host: string, port: number, localPort = 0, givenUpMs = patienceMs): string => `
  const socket = require('node:net').connect({ host: '${host}', port: ${port}, localPort: ${localPort} })
  const end = (word) => { console.log(word); process.exit() }
  socket.on('connect', () => socket.end('hello')).on('data', (told) => end(String(told)))
  socket.on('error', ({ code }) => end(code))
  setTimeout(() => end('nothing'), ${givenUpMs})`

const dialInVain = (host: string, port: number, localPort = 0): string =>
  dial(host, port, localPort, inVainMs)

describe.skipIf(why !== undefined)(`the internet of the lab${skipped}`, () => {
  let internet: Internet
  const children: ChildProcess[] = []
  const hostOf = (name: string): string => sites.find((site) => site.name === name)?.publicHost ?? ''

  async function run(machine: string, script: string): Promise<string> {
    const child = spawn('env', [...internet.at(machine), process.execPath, '-e', script])
    children.push(child)
    const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
    return line
  }

  beforeAll(async () => {
    internet = await Internet.open({ sites })
    await Promise.all([
      run('tracker', server(trackerPort, otherPort)),
      ...['home1', 'forwarding', 'lan1'].map((name) => run(name, server(memberPort))),
    ])
  })
  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL')
    await internet.close()
  })

  test('a home keeps its port, and a symmetric one has another for each whom it speaks to', async () => {
    const seenOf = (name: string): Promise<string[]> =>
      Promise.all([trackerPort, otherPort].map((port) => run(name, dial(trackerHost, port, 5000 + port))))
    expect(await seenOf('home2')).toEqual(
      [trackerPort, otherPort].map((port) => `${hostOf('home2')}:${5000 + port}`),
    )
    const seen = await seenOf('symmetric')
    for (const [index, port] of [trackerPort, otherPort].entries()) {
      expect(seen[index]).toContain(`${hostOf('symmetric')}:`)
      expect(seen[index]).not.toContain(`:${5000 + port}`)
    }
  })

  test('nobody comes into a home, nor is refused there; one that forwards its port lets him in', async () => {
    expect(
      await Promise.all([
        run('home2', dialInVain(hostOf('home1'), memberPort)),
        run('home2', dialInVain(hostOf('symmetric'), memberPort)),
        run('home2', dial(hostOf('forwarding'), memberPort)),
      ]),
    ).toEqual(['nothing', 'nothing', expect.stringContaining(`${hostOf('home2')}:`)])
  })

  test('an office lets out one port alone', async () => {
    expect(
      await Promise.all([
        run('office', dial(trackerHost, trackerPort)),
        run('office', dialInVain(trackerHost, otherPort)),
      ]),
    ).toEqual([expect.stringContaining(`${hostOf('office')}:`), 'nothing'])
  })

  test('two in one network meet there, and not by the address that others see', async () => {
    expect(
      await Promise.all([
        run('lan2', dial('192.168.1.10', memberPort)),
        run('lan2', dialInVain(hostOf('lan'), memberPort)),
      ]),
    ).toEqual([expect.stringContaining('192.168.1.11:'), 'nothing'])
  })

  test('two homes that dial each other at once are connected, and not where one is symmetric', async () => {
    const both = (one: string, other: string, how: typeof dial): Promise<string[]> =>
      Promise.all([run(one, how(hostOf(other), 6001, 6000)), run(other, how(hostOf(one), 6000, 6001))])
    expect(await both('home1', 'home2', dial)).toEqual(['hello', 'hello'])
    expect(await both('home1', 'symmetric', dialInVain)).toEqual(['nothing', 'nothing'])
  })
})
