import { expect, test } from 'vitest'
import { mayAdvertise } from '../../../src/tracker/requests/advertised.ts'

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
