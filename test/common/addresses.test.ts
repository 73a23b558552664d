import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  checkedAddress,
  formatAddress,
  isWildcard,
  parseAddress,
  parseAdvertised,
} from '../../src/common/addresses.ts'
import { Failure } from '../../src/common/failure.ts'
import { isLoopback, plainHost } from '../../src/common/networks.ts'

test('an address is read back from how it is written', () => {
  const host = fc.oneof(fc.ipV4(), fc.ipV6())
  fc.assert(
    fc.property(host, fc.nat({ max: 65_535 }), (ip, port) => {
      expect(parseAddress(formatAddress({ host: ip, port }))).toEqual({ host: ip, port })
    }),
  )
})

test('localhost is taken as 127.0.0.1', () => {
  expect(parseAddress('localhost:80')).toEqual({ host: '127.0.0.1', port: 80 })
  expect(checkedAddress('localhost', '80')).toEqual({ host: '127.0.0.1', port: 80 })
})

test.each([
  ['', '"" is not an address like 127.0.0.1:9002'],
  ['127.0.0.1', '"127.0.0.1" is not an address'],
  ['127.0.0.1:', '"127.0.0.1:" is not an address'],
  ['::1:80', '"::1:80" is not an address'],
  ['127.0.0.1:80 ', 'is not an address'],
  ['127.0.0.1:65536', '"65536" is not a port (0 to 65535)'],
  ['127.0.0.1:123456', 'is not an address'],
  ['example.org:80', '"example.org" is a name; write the IP address of that machine'],
  ['nas:80', '"nas" is a name'],
  ['1.2.3:80', '"1.2.3" is not an IP address'],
  ['[::g]:80', '"::g" is not an IP address'],
])('%j is no address, and the sentence says why', (text, sentence) => {
  expect(() => parseAddress(text)).toThrow(sentence)
})

test.each(['x', '', '-1', '1.5', ' 80', '1e3', '65536'])('%j is no port', (port) => {
  expect(() => checkedAddress('127.0.0.1', port)).toThrow(`"${port}" is not a port (0 to 65535)`)
})

test('no text throws anything but a usage failure', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      try {
        parseAddress(text)
      } catch (error) {
        expect(error).toBeInstanceOf(Failure)
        expect(error).toHaveProperty('code', 'usage')
      }
    }),
  )
})

test('loopback, wildcard and mapped addresses are known as what they are', () => {
  for (const host of ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1'])
    expect(isLoopback(host)).toBe(true)
  for (const host of [
    '10.0.0.1',
    '0.0.0.0',
    '::',
    '::ffff:10.0.0.1',
    '127.example.org',
    '127.0.0.1.example.org',
  ])
    expect(isLoopback(host)).toBe(false)
  expect(['0.0.0.0', '::', '127.0.0.1'].map(isWildcard)).toEqual([true, true, false])
  expect(plainHost('::ffff:1.2.3.4')).toBe('1.2.3.4')
  expect(plainHost('fe80::1')).toBe('fe80::1')
})

test('what is advertised is a name or an address of one machine, with a port or without', () => {
  expect(parseAdvertised('Home.example.org')).toEqual({ host: 'home.example.org', port: 0 })
  expect(parseAdvertised('home.example.org:4444')).toEqual({ host: 'home.example.org', port: 4444 })
  expect(parseAdvertised('192.0.2.7')).toEqual({ host: '192.0.2.7', port: 0 })
  expect(parseAdvertised('192.0.2.7:80')).toEqual({ host: '192.0.2.7', port: 80 })
  expect(parseAdvertised('2001:db8::7')).toEqual({ host: '2001:db8::7', port: 0 })
  expect(parseAdvertised('[2001:db8::7]:80')).toEqual({ host: '2001:db8::7', port: 80 })
  for (const text of ['', 'a b', '-x.org', 'home.example.org:99999', '1.2.3', 'http://home.example.org'])
    expect(() => parseAdvertised(text)).toThrow(Failure)
})
