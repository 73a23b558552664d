import { expect, test } from 'vitest'
import { FormerContents } from '../../../src/client/sharing/former-contents.ts'
import type { LocalContent } from '../../../src/client/sharing/local-content.ts'

/** A content of so many pieces; only what is kept of it matters. */
function contentOf(pieceCount: number, stamp = '1:2:30:4:5'): LocalContent {
  return { manifest: { pieceCount, sizeBytes: 30 }, stamp } as unknown as LocalContent
}

test('a content is found again at its path, under its stamp alone', () => {
  const former = new FormerContents()
  const content = contentOf(1)
  former.onEnded('/a', content)
  expect(former.find('/a', content.stamp)).toBe(content)
  expect(former.find('/b', content.stamp)).toBeUndefined()
  expect(former.find('/a', '1:2:30:4:6')).toBeUndefined()
})

test('what ended longest ago is forgotten when there are too many', () => {
  const former = new FormerContents()
  for (const path of ['/a', '/b', '/a', '/c']) former.onEnded(path, contentOf(100_000))
  const found = (path: string): boolean => former.find(path, contentOf(1).stamp) !== undefined
  expect(['/a', '/b', '/c'].map(found)).toEqual([true, false, true])
  former.onEnded('/d', contentOf(300_000))
  expect(['/a', '/b', '/c', '/d'].map(found)).toEqual([false, false, false, false])
  for (let count = 0; count <= 1000; count++) former.onEnded(`/${count}`, contentOf(1))
  expect(['/0', '/1', '/1000'].map(found)).toEqual([false, true, true])
})
