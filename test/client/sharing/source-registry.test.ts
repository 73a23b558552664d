// Who is said to serve what, with sources that are nothing but bits.

import { expect, test } from 'vitest'
import type { PieceSource } from '../../../src/client/sharing/piece-source.ts'
import { SourceRegistry } from '../../../src/client/sharing/source-registry.ts'
import { Bitfield } from '../../../src/common/bitfield.ts'
import { pieceBytes } from '../../../src/common/limits.ts'
import { accept, refuse } from '../../../src/common/refusal.ts'
import { manifestOf, sampleBytes } from './sample-file.ts'

const manifest = manifestOf(sampleBytes(2 * pieceBytes + 5))
const empty = manifestOf(Buffer.alloc(0))

/** Has these pieces; what it reads is its mark. */
function source(pieces: readonly number[], mark = 1, of = manifest): PieceSource {
  const have = new Bitfield(of.pieceCount)
  for (const index of pieces) have.set(index)
  return {
    manifest: of,
    have,
    read: (index, buffer) => {
      if (!have.has(index)) return Promise.resolve(refuse('piece-missing', 'gone'))
      buffer[0] = mark
      return Promise.resolve(accept(undefined))
    },
  }
}

function registry() {
  const sources = new SourceRegistry()
  /** By name, as the trackers know it. */
  const known = new Map<string, string>()
  const told: string[] = []
  sources.announceBy({
    announce: (file, complete) => {
      known.set(file.name, complete ? 'complete' : 'partial')
      return Promise.resolve()
    },
    retract: (file) => known.delete(file.name),
  })
  sources.listen({
    onHave: (_group, _fileId, index) => told.push(`have ${index}`),
    onWithdrawn: (_group, _fileId, why) => told.push(why),
  })
  const offer = (name: string, what: PieceSource) =>
    sources.offer({ group: 'g', name, fileId: what.manifest.fileId }, what)
  return { sources, known, told, offer, found: () => sources.find('g', manifest.fileId) }
}

test('a name is told only once it is announced, and not any more when it is withdrawn', () => {
  const { known, told, offer, found } = registry()
  const whole = offer('a', source([0, 1, 2]))
  expect([...known]).toEqual([])
  void whole.announce()
  expect([...known]).toEqual([['a', 'complete']])
  whole.withdraw('over')
  whole.withdraw('again')
  expect([...known]).toEqual([])
  expect(told).toEqual(['over'])
  expect(found()).toBeUndefined()
})

test('of two names with the same content one goes, and the other is still served and known', async () => {
  const { known, told, offer, found } = registry()
  const first = offer('a', source([0, 1, 2], 1))
  const second = offer('b', source([0, 1, 2], 2))
  void first.announce()
  void second.announce()
  first.withdraw('stopped')
  expect([...known]).toEqual([['b', 'complete']])
  // Peers that use it hear nothing: it is served on.
  expect(told).toEqual([])
  const buffer = Buffer.alloc(1)
  expect(await found()?.read(0, buffer)).toEqual(accept(undefined))
  expect(buffer[0]).toBe(2)
})

test('a piece that one source fails to give is given by another', async () => {
  const { offer, found } = registry()
  const failing = source([0, 1, 2])
  offer('a', { ...failing, read: () => Promise.resolve(refuse('file-changed', 'it is away')) })
  offer('b', source([0, 1, 2], 2))
  expect(await found()?.read(1, Buffer.alloc(1))).toEqual(accept(undefined))
})

test('a client with all pieces, none of whose sources has all, is no seeder', () => {
  const { known, offer, found } = registry()
  void offer('a', source([0, 1])).announce()
  void offer('b', source([2])).announce()
  expect(found()?.have.isFull).toBe(true)
  expect([...known.values()]).toEqual(['partial', 'partial'])
})

test('a download is told from its first piece on, and as complete with its last, under every name', () => {
  const { known, told, offer } = registry()
  const pieces = source([])
  const offers = [offer('a', pieces), offer('b', source([]))]
  for (const each of offers) void each.announce()
  expect([...known]).toEqual([])
  for (const index of [0, 1, 2]) {
    pieces.have.set(index)
    offers[0]?.tellHave(index)
    expect([...known.values()]).toEqual(index === 2 ? ['complete', 'complete'] : ['partial', 'partial'])
  }
  expect(told).toEqual(['have 0', 'have 1', 'have 2'])
})

test('a source that changed is no seeder; what is left of it is served', () => {
  const { known, offer, found } = registry()
  const pieces = source([0, 1, 2])
  const changed = offer('a', pieces)
  void changed.announce()
  pieces.have.clear(1)
  changed.tellChanged()
  expect([...known]).toEqual([['a', 'partial']])
  expect([0, 1, 2].map((index) => found()?.have.has(index))).toEqual([true, false, true])
})

test('one that changed beside another that did not leaves a seeder', () => {
  const { known, offer } = registry()
  const changed = offer('a', source([0, 1, 2]))
  void changed.announce()
  void offer('b', source([0, 1, 2])).announce()
  changed.tellChanged()
  expect([...known.values()]).toEqual(['complete', 'complete'])
})

test('peers are to open a file again of which more is served than when they opened it', () => {
  const { told, offer } = registry()
  offer('a', source([0]))
  expect(told).toEqual([])
  offer('b', source([0, 1, 2]))
  expect(told).toHaveLength(1)
})

test('an empty file has a seeder as long as somebody offers it', () => {
  const { known, offer } = registry()
  const offered = offer('a', source([], 1, empty))
  void offered.announce()
  expect([...known]).toEqual([['a', 'complete']])
  offered.withdraw('over')
  expect([...known]).toEqual([])
})

test('what an offer says after its end changes nothing', async () => {
  const { known, told, offer } = registry()
  const pieces = source([0])
  const over = offer('a', pieces)
  over.withdraw('over')
  over.tellHave(1)
  over.tellChanged()
  await over.announce()
  expect([[...known], told]).toEqual([[], ['over']])
})
