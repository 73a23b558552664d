import { expect, test } from 'vitest'
import { whyNewerNode } from '../../src/common/node-version.ts'

const at = (day: string): number => Date.parse(day)

test('a Node that gets no fixes any more is named, with what to install', () => {
  const sentence = 'Node.js 20 gets no security fixes any more; install 24'
  expect(whyNewerNode('20.20.2', at('2026-11-29'))).toBe(sentence)
  expect(whyNewerNode('22.23.5', at('2027-05-01'))).toBe(sentence.replace('20', '22'))
})

test.each([
  ['20.20.2', '2026-04-01'],
  ['22.23.5', '2026-11-29'],
  ['24.22.3', '2026-11-29'],
  ['26.12.1', '2026-11-29'],
  ['99.0.0', '2099-01-01'],
])('nothing is said of Node %s on %s', (version, day) => {
  expect(whyNewerNode(version, at(day))).toBeUndefined()
})
