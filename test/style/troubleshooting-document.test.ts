// Holds docs/troubleshooting.md to the codes of `why`.

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { reasons } from '../../src/client/diagnosis/reasons.ts'

const document = readFileSync(new URL('../../docs/troubleshooting.md', import.meta.url), 'utf8')

test('docs/troubleshooting.md has a section for each code of why, and no other', () => {
  const sections = Array.from(document.matchAll(/^### (.+)$/gm), ([, code]) => code)
  expect(new Set(sections)).toEqual(new Set(Object.keys(reasons)))
  expect(sections).toHaveLength(Object.keys(reasons).length)
})

test('meanings and remedies are short plain sentences, without a full stop', () => {
  const wrong = Object.values(reasons).flatMap(({ means, remedy }) =>
    [means, remedy].filter((sentence) => sentence.length > 100 || /[.A-Z]$|^[A-Z]/.test(sentence)),
  )
  expect(wrong).toEqual([])
})
