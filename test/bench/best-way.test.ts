import { expect, test } from 'vitest'
import { bestWay, isAsGood } from '../../bench/lab/best-way.ts'
import { sites, type Site } from '../../bench/lab/internet.ts'

test.each([
  ['lan', 'lan', 'lan'],
  ['home1', 'home2', 'punched'],
  ['home1', 'lan', 'punched'],
  ['forwarding', 'home1', 'direct'],
  ['forwarding', 'symmetric', 'direct'],
  ['home1', 'forwarding', 'called-back'],
  ['symmetric', 'forwarding', 'called-back'],
  ['symmetric', 'home1', 'relayed'],
  ['home1', 'symmetric', 'relayed'],
  ['office', 'forwarding', 'relayed'],
  ['forwarding', 'office', 'relayed'],
])('from %s to %s the best way is %s', (from, to, way) => {
  expect(bestWay(siteCalled(from), siteCalled(to))).toBe(way)
})

function siteCalled(wanted: string): Site {
  const site = sites.find(({ name }) => name === wanted)
  if (site === undefined) throw new Error(`there is no site ${wanted}`)
  return site
}

test('a relay is as good as no other way', () => {
  expect(isAsGood('punched', 'called-back')).toBe(true)
  expect(isAsGood('direct', 'direct')).toBe(true)
  for (const best of ['lan', 'direct', 'called-back', 'punched'] as const)
    expect(isAsGood('relayed', best)).toBe(false)
})
