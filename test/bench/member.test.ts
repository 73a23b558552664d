import { expect, test } from 'vitest'
import { wayIn } from '../../bench/lab/member.ts'

test('the way to a peer is read from wherever it stands in a reply', () => {
  expect(wayIn({ downloads: [{ name: 'a', peers: [{ user: 'ann', way: 'punched' }] }] })).toBe('punched')
})

test('a reply that names no way, or none that is a word, has none', () => {
  expect(wayIn({ downloads: [{ name: 'a', peers: [['ann@203.0.113.2:4444', 3]] }] })).toBeUndefined()
  expect(wayIn({ way: null, downloads: [] })).toBeUndefined()
})
