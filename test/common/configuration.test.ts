// Settings from flags, environment and file, in this order of weight.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { clientProgram, parseArguments } from '../../src/client/arguments.ts'
import { readConfiguration, settingsOf, withConfiguration } from '../../src/common/configuration.ts'
import { trackerProgram } from '../../src/tracker/arguments.ts'
import { temporaryFolder } from '../client/temporary-folder.ts'

/** A folder for configuration with this file for the client. */
function configured(text: string): { XDG_CONFIG_HOME: string } {
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'coterie'))
  writeFileSync(join(folder, 'coterie', 'client.conf'), text)
  return { XDG_CONFIG_HOME: folder }
}

const addresses = ['127.0.0.1', '4444', '127.0.0.1', '9002']

function argumentsOf(text: string, env: Record<string, string> = {}, flags: readonly string[] = []) {
  const words = withConfiguration(clientProgram(), [...flags, ...addresses], { ...configured(text), ...env })
  const parsed = parseArguments(words, () => '')
  if (parsed.kind === 'text') throw new Error('no arguments')
  return parsed.arguments
}

test('a flag counts more than a variable, and that more than the file', () => {
  const file = 'upload-limit 1K\n# so it is\n\n  download-limit   2K  \r\n'
  const variables = { COTERIE_CLIENT_UPLOAD_LIMIT: '3K', COTERIE_CLIENT_DATA_DIR: '' }
  expect(argumentsOf(file)).toMatchObject({ uploadLimit: 1024, downloadLimit: 2048, dataFolder: undefined })
  expect(argumentsOf(file, variables)).toMatchObject({ uploadLimit: 3072, downloadLimit: 2048 })
  expect(argumentsOf(file, variables, ['--upload-limit', '4K'])).toMatchObject({ uploadLimit: 4096 })
})

test('a value is the rest of its line, spaces and all', () => {
  expect(argumentsOf('data-dir /srv/my files # 1')).toMatchObject({ dataFolder: '/srv/my files # 1' })
})

test('what cannot be beside a flag gives way to it', () => {
  expect(argumentsOf('tls yes\nlinger yes')).toMatchObject({ encryption: 'always', linger: true })
  expect(argumentsOf('tls yes', {}, ['--insecure-plain'])).toMatchObject({ encryption: 'never' })
  expect(argumentsOf('tls yes', { COTERIE_CLIENT_INSECURE_PLAIN: 'yes' })).toMatchObject({
    encryption: 'never',
  })
  expect(argumentsOf('linger no')).toMatchObject({ linger: false })
})

test.each([
  ['uplaod-limit 1K', 'there is no setting "uplaod-limit"'],
  ['execute quit', 'there is no setting "execute"'],
  ['upload-limit', 'upload-limit has no value'],
  ['linger', 'linger has no value'],
  ['linger true', 'linger is yes or no, not "true"'],
])('"%s" is refused with its line', (line, sentence) => {
  const read = (): unknown => readConfiguration(settingsOf(clientProgram()), `\n${line}\n`, 'client.conf')
  expect(read).toThrow(
    expect.objectContaining({
      code: 'usage',
      message: expect.stringContaining(`client.conf, line 2: ${sentence}`),
    }),
  )
})

test('a key that is set twice is refused, and so is a variable that is neither yes nor no', () => {
  expect(() => argumentsOf('tls yes\ntls no')).toThrow(/client\.conf, line 2: tls is set twice$/)
  expect(() => argumentsOf('', { COTERIE_CLIENT_TLS: '1' })).toThrow(
    'COTERIE_CLIENT_TLS is yes or no, not "1"',
  )
})

test('each option of both programs is a setting, but for what is done at one start', () => {
  for (const program of [clientProgram(), trackerProgram()]) {
    const left = program.options.map((option) => option.name())
    const keys = new Set(settingsOf(program).map(({ key }) => key))
    expect(left.filter((name) => !keys.has(name))).toEqual(
      ['execute', 'file', 'version'].filter((name) => left.includes(name)),
    )
  }
})
