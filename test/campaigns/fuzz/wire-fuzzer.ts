// Sends changed lines to a live tracker and a live client, from strangers and from members, while somebody who behaves
// asks both: they must stay alive, and answer him within a second.

import { setTimeout } from 'node:timers/promises'
import type { TrackerConnection } from '../../../src/client/tracker-link/tracker-connection.ts'
import { Failure } from '../../../src/common/failure.ts'
import { pieceBytes } from '../../../src/common/limits.ts'
import { makeIdentity } from '../../../src/common/security/identity.ts'
import type { Channel } from '../../../src/common/wire/channel.ts'
import type { Encryption } from '../../../src/common/wire/protection.ts'
import { seededRandom } from '../../simulation/seeded-random.ts'
import { exampleLines } from './corpus.ts'
import { Mutator } from './mutator.ts'
import { must, WirePlace, type Access } from './wire-place.ts'

/** Where a connection sends its lines, and how far it has come. */
const targets = [
  'stranger at the tracker',
  'member at the tracker',
  'stranger at the client',
  'member at the client',
] as const
type Target = (typeof targets)[number]

const connectionsEach = 3
const linesAtOnce = 20
const linesEach = 400
const attackers = ['mallory', 'marvin', 'moriarty']
const patienceMs = 1000

export interface WireFigures {
  readonly inputs: Record<Target, number>
  connections: number
  honestRequests: number
  honestLongestMs: number
  readonly findings: string[]
}

/** Sends so many lines in all. `plant`: one of the programs is made to end by a line, which has to be noticed. */
export async function fuzzWire(
  encryption: Encryption,
  seed: number,
  inputs: number,
  plant = false,
): Promise<WireFigures> {
  const place = new WirePlace(encryption)
  const figures: WireFigures = {
    inputs: Object.fromEntries(targets.map((target) => [target, 0])) as Record<Target, number>,
    connections: 0,
    honestRequests: 0,
    honestLongestMs: 0,
    findings: [],
  }
  try {
    await place.start(['honest', ...attackers])
    for (const program of place.programs)
      program.process.once('exit', (code) => {
        if (!isOver) figures.findings.push(`the ${program.name} has ended with ${String(code)}`)
      })
    let isOver = false
    const sent = (): number => Object.values(figures.inputs).reduce((sum, each) => sum + each, 0)
    const goesOn = (): boolean => sent() < inputs && figures.findings.length === 0
    const fuzzers = targets.flatMap((target, index) =>
      Array.from({ length: connectionsEach }, (_, number) => {
        const mutator = new Mutator(seededRandom(seed + index * connectionsEach + number), exampleLines())
        return attack(place, target, attackers[number] ?? '', mutator, figures, goesOn, plant)
      }),
    )
    await Promise.all([...fuzzers, behave(place, figures, goesOn)])
    isOver = true
    return figures
  } finally {
    await place.close()
  }
}

async function attack(
  place: WirePlace,
  target: Target,
  user: string,
  mutator: Mutator,
  figures: WireFigures,
  goesOn: () => boolean,
  plant: boolean,
): Promise<void> {
  while (goesOn()) {
    try {
      const { channel, leave } = await come(place, target, user)
      figures.connections++
      for (let sent = 0; sent < linesEach && goesOn() && !channel.isClosed; sent += linesAtOnce) {
        const lines = Array.from({ length: linesAtOnce }, () =>
          mutator.below(50) === 0 ? mutator.next() : mutator.nextJson(),
        )
        figures.inputs[target] += lines.length
        const bytes = Buffer.concat(lines)
        if (plant && target === 'member at the tracker' && bytes.includes('"__proto__"'))
          place.programs[0]?.process.kill('SIGKILL')
        await new Promise<void>((resolve) => channel.sendBytes(bytes, resolve))
        if (!channel.isClosed) await channel.whenDrained()
      }
      leave()
    } catch (error) {
      // Refused at the door, or cut in the middle of a greeting: it comes again.
      if (!(error instanceof Failure) && !(error instanceof Error)) throw error
      await setTimeout(20)
    }
  }
}

interface Guest {
  readonly channel: Channel
  readonly leave: () => void
}

function guest(channel: Channel): Guest {
  return { channel, leave: () => channel.close(new Failure('connection-lost', 'enough')) }
}

/** A connection that has come as far as the target says. */
async function come(place: WirePlace, target: Target, user: string): Promise<Guest> {
  const identity = makeIdentity()
  if (target === 'stranger at the tracker') return guest(silenced(await place.openToTracker(identity)))
  const connection = await place.logIn(user, identity)
  if (target === 'member at the tracker') {
    const channel = connection.caller?.channel
    if (channel === undefined) throw new Error('not connected')
    // Else it would come back by itself.
    return { channel, leave: () => connection.stop() }
  }
  const access = await place.access(connection)
  connection.stop()
  if (target === 'stranger at the client') return guest(silenced(await place.openToPeer(access, identity)))
  return guest((await place.greet(access, identity)).channel)
}

/** Drops whatever is answered. */
function silenced(channel: Channel): Channel {
  channel.listen({
    onFrame: () => undefined,
    onMalformed: () => undefined,
    bodyBuffer: (_message, bytes) => Buffer.alloc(Math.min(bytes, 32 * pieceBytes)),
    onClosed: () => undefined,
  })
  return channel
}

/** Asks the tracker, and fetches a piece, over and over; each has to be answered in time. */
async function behave(place: WirePlace, figures: WireFigures, goesOn: () => boolean): Promise<void> {
  const identity = makeIdentity()
  let connection: TrackerConnection | undefined
  const timed = async <T>(what: string, ask: () => Promise<T>): Promise<T | undefined> => {
    const startedAtMs = performance.now()
    try {
      return await ask()
    } catch (error) {
      figures.findings.push(`${what}: ${String(error)}`)
      return undefined
    } finally {
      const ms = performance.now() - startedAtMs
      figures.honestRequests++
      figures.honestLongestMs = Math.max(figures.honestLongestMs, ms)
      if (ms > patienceMs) figures.findings.push(`${what} took ${ms.toFixed(0)} ms`)
    }
  }
  while (goesOn()) {
    connection ??= await timed('a login', () => place.logIn('honest', identity))
    const asked = connection
    if (asked === undefined) return
    const access: Access | undefined = await timed('a query', () => place.access(asked))
    if (access !== undefined) await timed('a piece', () => fetchPiece(place, access, identity))
    await setTimeout(50)
  }
  connection?.stop()
}

async function fetchPiece(
  place: WirePlace,
  access: Access,
  identity: ReturnType<typeof makeIdentity>,
): Promise<void> {
  const caller = await place.greet(access, identity)
  const { fileId } = access
  must(await caller.request('open', { fileId }))
  must(await caller.request('piece', { fileId, index: 0 }, { bodyBuffer: (bytes) => Buffer.alloc(bytes) }))
  caller.close('enough')
}
