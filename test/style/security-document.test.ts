// Holds docs/security.md against the tests that it names.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { root, textOf } from './sources.ts'

const named = Array.from(
  textOf('docs/security.md').matchAll(/`(test\/[^`]+)`:\s\*([^*]+)\*/g),
  ([, file = '', title = '']) => ({ file, title: title.replaceAll(/\s+/g, ' ') }),
)

test('each test that stands for a claim about security is there, under that title', () => {
  expect(named.length).toBeGreaterThan(30)
  const missing = named.filter(
    ({ file, title }) => !existsSync(join(root, file)) || !textOf(file).includes(`test('${title}'`),
  )
  expect(missing).toEqual([])
})

test('no claim about security names a file of tests without a title', () => {
  const all = textOf('docs/security.md').match(/`test\//g) ?? []
  expect(named).toHaveLength(all.length)
})
