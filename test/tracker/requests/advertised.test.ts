import { BlockList } from 'node:net'
import { expect, test } from 'vitest'
import { mayAdvertise, placeOf } from '../../../src/tracker/requests/advertised.ts'

test('nobody may send others to their own machines, to many at once or to none', () => {
  for (const host of ['192.0.2.7', '10.1.2.3', '2001:db8::7', 'fd00::7'])
    expect(mayAdvertise(host, '192.0.2.1')).toBe(true)
  for (const host of [
    '127.0.0.1',
    '127.9.9.9',
    '::1',
    '0:0:0:0:0:0:0:1',
    '0.0.0.0',
    '::',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '169.254.1.1',
    'fe80::1',
    '224.0.0.251',
    '239.1.1.1',
    'ff02::1',
    '255.255.255.255',
  ])
    expect([host, mayAdvertise(host, '192.0.2.1')]).toEqual([host, false])
  expect(mayAdvertise('127.0.0.2', '127.0.0.1')).toBe(true)
})

test('others are sent to the address that is seen, whatever a client advertises, unless it is its own', () => {
  const place = (host: string | undefined, observed: string) =>
    placeOf({ host, port: 1 }, observed, 'observed')
  expect(place(undefined, '192.0.2.1')).toEqual({ host: '192.0.2.1', port: 1 })
  expect(place('192.0.2.1', '192.0.2.1')).toEqual({ host: '192.0.2.1', port: 1 })
  expect(place('198.51.100.9', '192.0.2.1')).toEqual({ host: '192.0.2.1', port: 1, ignored: '198.51.100.9' })
  // A neighbour is a stranger; so is whoever is in the tracker's own network.
  for (const host of ['192.0.2.2', '10.0.0.1', '192.168.1.1', '2001:db8::1'])
    expect(place(host, '192.0.2.1')).toMatchObject({ host: '192.0.2.1', ignored: host })
  // Of IPv6, a subscriber has all addresses of a /64, however they are written.
  expect(place('2001:db8:0:7::99', '2001:db8:0:7::1')).toEqual({ host: '2001:db8:0:7::99', port: 1 })
  expect(place('2001:DB8:0:7:0::99', '2001:db8:0:7::1')).toMatchObject({ host: '2001:DB8:0:7:0::99' })
  expect(place('2001:db8:0:8::99', '2001:db8:0:7::1')).toMatchObject({ host: '2001:db8:0:7::1' })
  // All of these are of the tracker's own machine.
  expect(place('127.0.0.7', '127.0.0.1')).toEqual({ host: '127.0.0.7', port: 1 })
})

test('an operator allows any address, or these ones, however they are written', () => {
  const where = { host: '2001:db8::7', port: 1 }
  expect(placeOf(where, '192.0.2.1', 'any')).toEqual({ host: '2001:db8::7', port: 1 })
  const allowed = new BlockList()
  allowed.addAddress('198.51.100.9')
  allowed.addAddress('2001:db8:0:0:0:0:0:7', 'ipv6')
  expect(placeOf(where, '192.0.2.1', allowed)).toEqual({ host: '2001:db8::7', port: 1 })
  expect(placeOf({ host: '198.51.100.9', port: 1 }, '192.0.2.1', allowed)).toMatchObject({
    host: '198.51.100.9',
  })
  for (const host of ['198.51.100.8', '2001:db8::8'])
    expect(placeOf({ host, port: 1 }, '192.0.2.1', allowed)).toMatchObject({
      host: '192.0.2.1',
      ignored: host,
    })
})

test('of the addresses on its own networks, only private ones are passed on', () => {
  const good = ['10.0.0.1', '172.16.0.1', '172.31.255.1', '192.168.0.1', 'fc00::1', 'fd12:3456::1']
  const bad = [
    ...['127.0.0.1', '::1', '0.0.0.0', '169.254.0.1', 'fe80::1', '224.0.0.1', 'ff02::1', '255.255.255.255'],
    ...[
      '192.0.2.1',
      '172.15.0.1',
      '172.32.0.1',
      '192.169.0.1',
      '100.64.0.1',
      '2001:db8::1',
      '::ffff:127.0.0.1',
    ],
    ...['fd::1', 'fe00::1', 'fec0::1'],
  ]
  expect(placeOf({ port: 1, local: [...bad, ...good] }, '192.0.2.1', 'any').local).toEqual(good)
})
