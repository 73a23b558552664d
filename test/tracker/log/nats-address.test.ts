// How people write where the log in NATS is.

import { expect, test } from 'vitest'
import { Failure } from '../../../src/common/failure.ts'
import { formatNatsAddress, parseNatsAddress } from '../../../src/tracker/log/nats/nats-address.ts'

function mistake(text: string): string {
  try {
    return JSON.stringify(parseNatsAddress(text))
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    expect(error.code).toBe('usage')
    return error.message
  }
}

test('one server, with everything else left out, is one copy in the stream coterie', () => {
  expect(parseNatsAddress('nats://localhost')).toEqual({
    isTls: false,
    ca: undefined,
    servers: ['localhost:4222'],
    user: undefined,
    password: undefined,
    token: undefined,
    stream: 'coterie',
    replicas: 1,
  })
})

test('as many copies are kept as servers are named, rounded down to an odd number', () => {
  const replicasOf = (count: number): number =>
    parseNatsAddress(`nats://${Array.from({ length: count }, (_, at) => `h${at}:42`).join(',')}`).replicas
  expect([1, 2, 3, 4, 5, 6, 7].map(replicasOf)).toEqual([1, 1, 3, 3, 5, 5, 5])
  expect(parseNatsAddress('nats://a?replicas=3')).toMatchObject({ servers: ['a:4222'], replicas: 3 })
})

test('a path names another stream, and IPv6 addresses stand in brackets', () => {
  expect(parseNatsAddress('nats://[::1]:4223,10.0.0.2/book-club?replicas=1')).toMatchObject({
    servers: ['[::1]:4223', '10.0.0.2:4222'],
    stream: 'book-club',
    replicas: 1,
  })
})

test('tls stands for encrypted connections, in what is shown too', () => {
  const address = parseNatsAddress('tls://ann:secret@a,b,c/books')
  expect(address).toMatchObject({ isTls: true, servers: ['a:4222', 'b:4222', 'c:4222'], replicas: 3 })
  expect(formatNatsAddress(address)).toBe('tls://a:4222,b:4222,c:4222/books')
})

test('a user and password, or a token, are read and never shown', () => {
  const login = parseNatsAddress('nats://ann:p%40ss:w@h:1')
  expect(login).toMatchObject({ user: 'ann', password: 'p@ss:w', token: undefined, servers: ['h:1'] })
  const token = parseNatsAddress('nats://s3cret@h:1')
  expect(token).toMatchObject({ user: undefined, token: 's3cret' })
  expect([login, token].map(formatNatsAddress)).toEqual(['nats://h:1/coterie', 'nats://h:1/coterie'])
})

test('every mistake is one sentence, which does not repeat a password', () => {
  for (const text of ['', 'nats://', 'http://h', 'h:4222', 'nats:h'])
    expect(mistake(text)).toMatch(/^this is not an address of NATS; write --log nats:/)
  for (const text of ['nats://h:0', 'nats://h:65536', 'nats://h:x', 'nats://a,,b', 'nats://u:secret@h h'])
    expect(mistake(text)).toMatch(/^".*" is not the address of a NATS server; write --log nats:/)
  for (const text of ['nats://h/a.b', 'nats://h/_x', `nats://h/${'x'.repeat(33)}`])
    expect(mistake(text)).toMatch(/cannot name the log in NATS/)
  for (const text of [
    'nats://h?replicas=2',
    'nats://h?replicas=7',
    'nats://h?copies=3',
    'nats://h?replicas=',
  ])
    expect(mistake(text)).toMatch(/write replicas=1, replicas=3 or replicas=5$/)
  expect(mistake('nats://u:%secret@h')).toMatch(/^the user, password or token for NATS is not right/)
  for (const text of [
    'nats://u:secret@h:0',
    'nats://u:secret@h/a.b',
    'nats://u:secret@h?x',
    'nats://u:%secret@h',
  ])
    expect(mistake(text)).not.toContain('secret')
})
