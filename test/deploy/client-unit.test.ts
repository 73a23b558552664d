// The unit that runs a client as a service of its user.

import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parseArguments } from '../../src/client/arguments.ts'
import { read, root } from './deployed.ts'
import { complaintsAbout, noAnalyze } from './verified-unit.ts'

const unit = read('coterie-client.service')

/** The values of a setting of the unit, in order. */
function settings(name: string): string[] {
  return [...unit.matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))].map(([, value = '']) => value)
}

test('the unit starts a client that lingers, with options that there are', () => {
  const [program, ...words] = (settings('ExecStart')[0] ?? '').split(' ')
  expect(program).toBe('/opt/coterie/client')
  const variables = new Map(
    settings('Environment').map((each) => [each.split('=')[0], each.split('=').slice(1).join('=')]),
  )
  const known = words.flatMap((word) => {
    const [, name] = /^\$\{?(\w+)\}?$/.exec(word) ?? []
    if (name === undefined) return [word]
    expect([name, variables.has(name)]).toEqual([name, true])
    return (variables.get(name) ?? '').split(' ').filter((part) => part !== '')
  })
  expect(parseArguments(known, () => '127.0.0.1:9002\n')).toMatchObject({
    kind: 'run',
    arguments: { linger: true, script: [], listen: { host: '0.0.0.0', port: 4444 } },
  })
})

test('the unit comes back whatever happens, but for a command line that makes no sense, and gets no rights', () => {
  expect(settings('Restart')).toEqual(['always'])
  expect(settings('RestartPreventExitStatus')).toEqual(['2'])
  expect(settings('NoNewPrivileges')).toEqual(['yes'])
  // A user's service manager starts nothing for others.
  expect(settings('WantedBy')).toEqual(['default.target'])
  expect(unit).not.toMatch(/password\s*[:=]/i)
})

test.skipIf(noAnalyze !== '')(`systemd understands every line of the unit of a client${noAnalyze}`, () => {
  const program: [string, string] = ['/opt/coterie/client', join(root, 'client')]
  expect(complaintsAbout('coterie-client.service', unit, program)).toEqual([])
})
