// Holds PROTOCOL.md against the tables that the programs read: nothing missing, nothing left over, and
// every example is a message that the tables accept.

import { readFileSync } from 'node:fs'
import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { peerProtocol } from '../../src/common/protocol/peer-protocol.ts'
import { trackerProtocol } from '../../src/common/protocol/tracker-protocol.ts'
import { isRefusalCode, refusalCode, refusalNumber } from '../../src/common/refusal.ts'
import { classify } from '../../src/common/wire/messages.ts'
import type { Protocol, RequestSpec, Schema } from '../../src/common/wire/methods.ts'

const text = readFileSync(new URL('../../PROTOCOL.md', import.meta.url), 'utf8')
const tracker: Protocol = trackerProtocol
const peer: Protocol = peerProtocol

interface Entry {
  readonly name: string
  readonly prose: string
  /** The lines of its examples. */
  readonly lines: readonly string[]
}

/** The part of the document under a heading of the second level. */
function chapter(title: string): string {
  return text.split(/^## /m).find((part) => part.startsWith(`${title}\n`)) ?? ''
}

function entriesOf(title: string): Entry[] {
  return chapter(title)
    .split(/^### /m)
    .slice(1)
    .map((part) => ({
      name: /^`(\w+)`/.exec(part)?.[1] ?? part,
      prose: part.replaceAll(/```[^]*?```/g, ''),
      lines: [...part.matchAll(/^```json\n([^]*?)^```/gm)].flatMap((block) =>
        (block[1] ?? '').trim().split('\n'),
      ),
    }))
}

/** A heading is missing, left over, or there twice exactly when these two lists differ. */
function namesOf(entries: readonly Entry[]): string[] {
  return entries.map(({ name }) => name)
}

describe.each([
  ['Client and tracker', tracker],
  ['Client and client', peer],
])('%s', (title, protocol) => {
  const entries = entriesOf(title)

  test('has an entry for every request of the table, in its order, and no other', () => {
    expect(namesOf(entries)).toEqual(Object.keys(protocol.requests))
  })

  test.each(entries)(
    '$name says what it needs and does, with a request and a result that the table accepts',
    (entry) => {
      const spec = protocol.requests[entry.name] as RequestSpec
      expect(/Stage: (\w+)\./.exec(entry.prose)?.[1]).toBe(spec.stage)
      expect(entry.prose.includes('Changes hard state.')).toBe(spec.mutates === true)
      expect(entry.prose.includes('Bytes follow the result.')).toBe(spec.bodyBytesMax !== undefined)

      expect(entry.lines).toHaveLength(2)
      const [request, result] = entry.lines.map((line) => JSON.parse(line))
      expect(classify(request)).toMatchObject({ kind: 'request', method: entry.name, id: request.id })
      expectExact(spec.params, request.params)
      expect(classify(result)).toMatchObject({ kind: 'result', id: request.id })
      expectExact(spec.result, result.result)
      expect('bytes' in result).toBe(spec.bodyBytesMax !== undefined)
      expect(result.bytes ?? 0).toBeLessThanOrEqual(spec.bodyBytesMax ?? 0)
    },
  )
})

describe.each([
  ['From the tracker to the client', tracker.toCaller],
  ['From the sharing client to the downloading one', peer.toCaller],
  ['From the downloading client to the sharing one', peer.toResponder],
])('%s', (title, table) => {
  const entries = entriesOf(title)

  test('has an entry for every notification of the table, in its order, and no other', () => {
    expect(namesOf(entries)).toEqual(Object.keys(table))
  })

  test.each(entries)('$name has an example that the table accepts', (entry) => {
    expect(entry.lines).toHaveLength(1)
    const message = JSON.parse(entry.lines[0] ?? '')
    expect(classify(message)).toMatchObject({ kind: 'notification', method: entry.name })
    expectExact(table[entry.name] as Schema, message.params)
  })
})

test('the tracker is told nothing without being asked, so there is no chapter for it', () => {
  expect(Object.keys(tracker.toResponder)).toEqual([])
})

test('the table of errors has every code with its number, and no other', () => {
  const rows = [...chapter('Errors').matchAll(/^\| (-?\d+) \| `([a-z-]+)` \| \S/gm)]
  expect(rows.length).toBeGreaterThan(30)
  for (const [, number, code = ''] of rows) {
    expect(isRefusalCode(code) && refusalNumber(code)).toBe(Number(number))
    expect(refusalCode(Number(number))).toBe(code)
  }
  const source = readFileSync(new URL('../../src/common/refusal.ts', import.meta.url), 'utf8')
  const inTable = [...source.matchAll(/^ {2}'?([a-z-]+)'?: (-?\d+),$/gm)].map(
    (match) => `${match[1]} ${match[2]}`,
  )
  expect(rows.map(([, number, code]) => `${code} ${number}`)).toEqual(inTable)
})

/** The schema accepts the example, and knows every field of it: an example teaches no field that is not there. */
function expectExact(schema: Schema, example: unknown): void {
  const parsed = v.safeParse(schema, example)
  expect(parsed.issues).toBeUndefined()
  expect(parsed.output).toEqual(example)
}
