// Feeds changed lines to the codec and the tables of both protocols, cut at any place, and changed trees, manifests of
// folders and recipes to their parsers, and looks for what must not be:
// an error that is no refusal, another result for another cut, more than 10 ms, memory that grows.

import * as v from 'valibot'
import { Failure } from '../../../src/common/failure.ts'
import { lineBytesMax } from '../../../src/common/limits.ts'
import { peerProtocol } from '../../../src/common/protocol/peer-protocol.ts'
import { trackerProtocol } from '../../../src/common/protocol/tracker-protocol.ts'
import { FrameReader } from '../../../src/common/wire/frames.ts'
import { classify } from '../../../src/common/wire/messages.ts'
import type { Protocol, Schema } from '../../../src/common/wire/methods.ts'
import { seededRandom } from '../../simulation/seeded-random.ts'
import { exampleLines } from './corpus.ts'
import { Mutator } from './mutator.ts'
import { RecipeFuzzer } from './recipe-fuzzer.ts'
import { TreeFuzzer } from './tree-fuzzer.ts'

const protocols: readonly Protocol[] = [trackerProtocol, peerProtocol]
const tooLongMs = 10
const heapMax = 256 * 1024 * 1024
/** A body of more is refused by whoever would have to hold it. */
const bodyBytesMax = 1024
/** Of so many inputs, one is read twice to compare, and of so many the heap is looked at. */
const comparedOf = 16
const weighedOf = 65_536
/** One of so many is a tree or a manifest, and one is a recipe. */
const treesOf = 16

export interface CodecFigures {
  inputs: number
  frames: number
  /** Inputs at which the reader hung up. */
  ended: number
  longestMs: number
  heapMiB: number
  /** One sentence each, with the input. */
  readonly findings: string[]
}

/** Reads lines as the programs do; `plant`: with a mistake in it, which has to be found. */
export function fuzzCodec(seed: number, inputs: number, plant = false): CodecFigures {
  const mutator = new Mutator(seededRandom(seed), exampleLines())
  const figures: CodecFigures = { inputs: 0, frames: 0, ended: 0, longestMs: 0, heapMiB: 0, findings: [] }
  const trees = new TreeFuzzer(mutator, plant)
  const recipes = new RecipeFuzzer(mutator, plant)
  while (figures.inputs < inputs && figures.findings.length < 5) {
    if (figures.inputs % (treesOf / 2) === 0) {
      tryTree(figures, figures.inputs % treesOf === 0 ? trees : recipes)
      continue
    }
    const bytes = Buffer.concat(Array.from({ length: 1 + mutator.below(3) }, () => mutator.next()))
    const cuts = Array.from({ length: mutator.below(4) }, () => mutator.below(bytes.length + 1)).toSorted(
      (one, other) => one - other,
    )
    figures.inputs++
    tryInput(figures, bytes, cuts, plant)
    if (figures.inputs % weighedOf === 0) weigh(figures)
  }
  weigh(figures)
  return figures
}

function tryTree(figures: CodecFigures, trees: TreeFuzzer | RecipeFuzzer): void {
  const bytes = trees.next()
  figures.inputs++
  const times = timesOf(() => trees.bugIn(bytes))
  figures.longestMs = Math.max(figures.longestMs, times.ms)
  const shown = bytes.toString('hex').slice(0, 2000)
  if (times.result !== undefined) figures.findings.push(`${times.result}: ${shown}`)
  if (times.ms > tooLongMs) figures.findings.push(`took ${times.ms.toFixed(0)} ms: ${shown}`)
}

/**
 * The result, and the time of the processor that it took: a machine that is busy with something else takes none. Tried
 * again where that is too long, since memory may have been tidied up meanwhile.
 */
function timesOf<T>(work: () => T): { result: T; ms: number } {
  let ms = Infinity
  for (let tries = 0; ; tries++) {
    const before = process.cpuUsage()
    const result = work()
    const { user, system } = process.cpuUsage(before)
    ms = Math.min(ms, (user + system) / 1000)
    if (ms <= tooLongMs || tries === 3) return { result, ms }
  }
}

function tryInput(figures: CodecFigures, bytes: Buffer, cuts: readonly number[], plant: boolean): void {
  const { result: read, ms } = timesOf(() => tryToRead(bytes, cuts, plant))
  figures.longestMs = Math.max(figures.longestMs, ms)
  figures.frames += read.frames.length
  if (read.ended !== undefined) figures.ended++
  if (read.bug !== undefined)
    figures.findings.push(`${read.bug}: ${JSON.stringify(bytes.toString('latin1'))}`)
  if (ms > tooLongMs)
    figures.findings.push(
      `took ${ms.toFixed(0)} ms: ${JSON.stringify(bytes.toString('latin1').slice(0, 2000))}`,
    )
  if (figures.inputs % comparedOf > 0 || cuts.length === 0) return
  const whole = tryToRead(bytes, [], false)
  if (JSON.stringify(whole) !== JSON.stringify(tryToRead(bytes, cuts, false)))
    figures.findings.push(
      `cut at ${cuts.join()}, it reads otherwise: ${JSON.stringify(bytes.toString('latin1'))}`,
    )
}

interface Read {
  readonly frames: unknown[]
  malformed: number
  /** Why the reader hung up. */
  ended?: string
  bug?: string
}

function tryToRead(bytes: Buffer, cuts: readonly number[], plant: boolean): Read {
  const read: Read = { frames: [], malformed: 0 }
  const reader = new FrameReader({
    lineBytesMax,
    bodyBuffer: (_message, count) => {
      if (count > bodyBytesMax) throw new Failure('protocol', 'too many bytes')
      return Buffer.alloc(count)
    },
    onFrame: ({ message, body }) => read.frames.push([understood(message), body?.length]),
    onMalformed: () => read.malformed++,
  })
  try {
    let from = 0
    for (const to of [...cuts, bytes.length]) {
      const part = bytes.subarray(from, to)
      if (plant && part.includes(plantedBytes)) throw new TypeError('the mistake that was planted')
      reader.feed(part)
      from = to
    }
  } catch (error) {
    if (error instanceof Failure && error.code === 'protocol') read.ended = error.message
    else read.bug = String(error)
  }
  return read
}

const plantedBytes = Buffer.from([0xff, 0xff])

/** What a responder or a caller would make of it. */
function understood(message: unknown): unknown {
  const known = classify(message)
  if (known.kind === 'request' || known.kind === 'notification') {
    return protocols.map((protocol) => {
      const tables = [protocol.toCaller, protocol.toResponder]
      const request = Object.hasOwn(protocol.requests, known.method)
        ? protocol.requests[known.method]
        : undefined
      const schemas = tables.map((table) =>
        Object.hasOwn(table, known.method) ? table[known.method] : undefined,
      )
      return [request?.params, ...schemas].map((schema) => isValid(schema, known.params))
    })
  }
  if (known.kind !== 'result') return known
  return protocols.map((protocol) =>
    Object.values(protocol.requests).map(({ result }) => isValid(result, known.result)),
  )
}

function isValid(schema: Schema | undefined, value: unknown): boolean | undefined {
  return schema === undefined ? undefined : v.safeParse(schema, value).success
}

function weigh(figures: CodecFigures): void {
  const { heapUsed } = process.memoryUsage()
  figures.heapMiB = Math.max(figures.heapMiB, Math.round(heapUsed / 1024 / 1024))
  if (heapUsed > heapMax) figures.findings.push(`the heap has ${figures.heapMiB} MiB`)
}
