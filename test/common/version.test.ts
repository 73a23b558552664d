import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { version } from '../../src/common/version.ts'

test('the version that programs tell each other is the one of package.json', () => {
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  expect(version).toBe(manifest.version)
})

test('the changes of this version stand first', () => {
  const changes = readFileSync(new URL('../../CHANGELOG.md', import.meta.url), 'utf8')
  expect(/^## \[(.+)\]/m.exec(changes)?.[1]).toBe(version)
})
