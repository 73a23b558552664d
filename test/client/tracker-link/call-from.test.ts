import { expect, test } from 'vitest'
import { callFrom } from '../../../src/client/tracker-link/call-from.ts'

test('a client on an IPv4 address leaves the choice to the system for an IPv6 target, and the reverse', () => {
  const four = { host: '127.0.0.1', port: 6000 }
  const six = { host: '::1', port: 7000 }
  expect(callFrom(four, six)).toBeUndefined()
  expect(callFrom(six, four)).toBeUndefined()
  expect(callFrom(four, { host: '127.0.0.2', port: 7000 })).toBe('127.0.0.1')
  expect(callFrom(six, six)).toBe('::1')
})
