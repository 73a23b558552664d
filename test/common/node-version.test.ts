import { expect, test } from 'vitest'
import { isOlderNode, whyNewerNode } from '../../src/common/node-version.ts'

test('a Node that gets no fixes any more is named, with what to install', () => {
  const sentence = 'Node.js 20 gets no security fixes any more; install 24'
  expect(whyNewerNode('20.20.2', '2026-11-29T12:00:00.000Z')).toBe(sentence)
  expect(whyNewerNode('22.23.5', '2027-05-01')).toBe(sentence.replace('20', '22'))
})

test.each([
  ['20.20.2', '2026-04-01'],
  ['22.23.5', '2026-11-29'],
  ['24.22.3', '2026-11-29'],
  ['26.12.1', '2026-11-29'],
  ['99.0.0', '2099-01-01'],
])('nothing is said of Node %s on %s', (version, day) => {
  expect(whyNewerNode(version, day)).toBeUndefined()
})

test.each([
  ['18.20.8', true],
  ['20.19.9', true],
  ['20.20.0', false],
  ['22.0.0', false],
])('whether Node %s is too old: %s', (version, isOlder) => {
  expect(isOlderNode(version)).toBe(isOlder)
})
