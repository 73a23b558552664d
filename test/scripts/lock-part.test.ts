// What a start from a clone installs.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

interface Entry {
  readonly dev?: boolean
  readonly optional?: boolean
  readonly dependencies?: Record<string, string>
  readonly devDependencies?: Record<string, string>
}

interface Lock {
  readonly packages: Readonly<Record<string, Entry>>
}

const root = fileURLToPath(new URL('../..', import.meta.url))
const { lockForBuild, hasChecks } = (await import(
  new URL('../../scripts/lock-part.mjs', import.meta.url).href
)) as {
  lockForBuild: (lock: Lock) => Lock
  hasChecks: (lock: Lock) => boolean
}
const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as Lock
const part = lockForBuild(lock)

test('it is less than all, and knows the two apart', () => {
  const count = ({ packages }: Lock): number => Object.keys(packages).length
  expect(count(part)).toBeLessThan(count(lock) * 0.6)
  expect([hasChecks(part), hasChecks(lock)]).toEqual([false, true])
})

test('npm installs all of it, and it lacks nothing that is needed in it', () => {
  expect(Object.values(part.packages).filter(({ dev }) => dev === true)).toEqual([])
  const missing = Object.entries(part.packages).flatMap(([path, { dependencies = {} }]) =>
    Object.keys(dependencies).filter((name) => !isFound(path, name)),
  )
  expect(missing).toEqual([])
})

// A fresh clone did not start: the types of a dependency were among what only tests need.
test('what it leaves out is named in no source and in no script of the build', () => {
  const { dependencies = {}, devDependencies = {} } = lock.packages['']!
  const left = Object.keys({ ...dependencies, ...devDependencies }).filter(
    (name) => part.packages[`node_modules/${name}`] === undefined,
  )
  expect(left).toContain('vitest')
  const texts = [...filesUnder('src', /\.ts$/), ...filesUnder('scripts', /\.mjs$/)]
    .filter((file) => !/lock-part|check\.mjs/.test(file))
    .map((file) => readFileSync(join(root, file), 'utf8'))
  expect(left.filter((name) => texts.some((text) => text.includes(`from '${name}'`)))).toEqual([])
  expect(left.filter((name) => name.startsWith('@types/'))).toEqual([])
})

/** Where Node would look, from the folder of a package. */
function isFound(from: string, name: string): boolean {
  const folders = from
    .split('/node_modules/')
    .map((_, index, all) => all.slice(0, index + 1).join('/node_modules/'))
  return ['', ...folders].some((folder) => part.packages[join(folder, 'node_modules', name)] !== undefined)
}

function filesUnder(folder: string, kind: RegExp): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => kind.test(file))
    .map((file) => join(folder, file))
}
