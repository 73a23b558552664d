// Holds docs/security.md against the tests and the attacks that it names.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { attacks } from '../campaigns/attack/attacks.ts'
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

/** The attacks named in the section about an attacker. One that ends in an ellipsis stands for all that begin so. */
function attacksOf(attacker: string): string[] {
  const heading = `## ${attacker.charAt(0).toUpperCase()}${attacker.slice(1)}\n`
  const section = textOf('docs/security.md').split(heading)[1]?.split('\n## ')[0] ?? ''
  const list = /^Attacks?: ((?:.+\n)+)/m.exec(section)?.[1] ?? ''
  return Array.from(list.matchAll(/\*([^*]+)\*/g), ([, name = '']) => name.replaceAll(/\s+/g, ' '))
}

function stands(named: string, name: string): boolean {
  return named.endsWith('…') ? name.startsWith(named.slice(0, -1)) : name === named
}

test('the section about an attacker names all of his attacks, and no others', () => {
  for (const attacker of new Set(attacks.map((each) => each.attacker))) {
    const names = attacks.filter((each) => each.attacker === attacker).map(({ name }) => name)
    const listed = attacksOf(attacker)
    expect(names.filter((name) => !listed.some((named) => stands(named, name)))).toEqual([])
    expect(listed.filter((named) => !names.some((name) => stands(named, name)))).toEqual([])
  }
})
