import fc from 'fast-check'
import { expect, test } from 'vitest'
import { refuse } from '../../src/common/refusal.ts'
import {
  bulkResultMessage,
  classify,
  errorMessage,
  notificationMessage,
  requestMessage,
  resultLine,
  EncodedResult,
} from '../../src/common/wire/messages.ts'

const kinds = ['request', 'notification', 'result', 'error', 'invalid']

test('any JSON value is sorted into something, without a throw', () => {
  const almost = fc.record(
    {
      jsonrpc: fc.constantFrom<unknown>('2.0', '1.0', 2),
      id: fc.oneof(fc.integer(), fc.constant(null), fc.string()),
      method: fc.oneof(fc.string(), fc.integer()),
      params: fc.jsonValue(),
      result: fc.jsonValue(),
      error: fc.oneof(fc.jsonValue(), fc.record({ code: fc.integer(), message: fc.string() })),
    },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), almost), (value) => {
      expect(kinds).toContain(classify(value).kind)
    }),
  )
})

test('what is built is read back as what it is', () => {
  const { refusal } = refuse('no-such-group', 'there is no group g1')
  expect(classify(requestMessage(0, 'ping', {}))).toEqual({
    kind: 'request',
    id: 0,
    method: 'ping',
    params: {},
  })
  expect(classify(notificationMessage('have', { index: 1 }))).toEqual({
    kind: 'notification',
    method: 'have',
    params: { index: 1 },
  })
  expect(classify(JSON.parse(resultLine(7, null)))).toEqual({ kind: 'result', id: 7, result: null })
  expect(classify(bulkResultMessage(7, {}, 5))).toEqual({ kind: 'result', id: 7, result: {} })
  expect(classify(errorMessage(3, refusal))).toEqual({ kind: 'error', id: 3, refusal })
  expect(classify(errorMessage(null, refusal))).toEqual({ kind: 'error', id: null, refusal })
})

test.each([
  ['no version', { id: 1, method: 'ping', params: {} }],
  ['another version', { jsonrpc: '1.0', id: 1, method: 'ping' }],
  ['a negative id', { jsonrpc: '2.0', id: -1, method: 'ping' }],
  ['a broken id', { jsonrpc: '2.0', id: 1.5, method: 'ping' }],
  ['an id that is a text', { jsonrpc: '2.0', id: '1', method: 'ping' }],
  ['an id that is null', { jsonrpc: '2.0', id: null, method: 'ping' }],
  ['a result without id', { jsonrpc: '2.0', result: {} }],
  ['an error without sentence', { jsonrpc: '2.0', id: 1, error: { code: 1 } }],
  ['a batch', [{ jsonrpc: '2.0', id: 1, method: 'ping' }]],
])('a message with %s is invalid', (_what, message) => {
  expect(classify(message)).toEqual({ kind: 'invalid' })
})

test('an error number from a newer program counts as unavailable', () => {
  const message = { jsonrpc: '2.0', id: 1, error: { code: 987_654, message: 'something new' } }
  expect(classify(message)).toMatchObject({ refusal: { code: 'unavailable', sentence: 'something new' } })
})

test('a result that is JSON already is read like any other', () => {
  const line = resultLine(7, new EncodedResult('{"files":[{"name":"a"}],"more":false}'))
  const result = { files: [{ name: 'a' }], more: false }
  expect(classify(JSON.parse(line))).toEqual({ kind: 'result', id: 7, result })
})
