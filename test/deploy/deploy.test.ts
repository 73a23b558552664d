// The files under deploy/, as far as they can be checked without a service manager and without images.

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { rootCertificates } from 'node:tls'
import { expect, test } from 'vitest'
import { parseArguments } from '../../src/tracker/arguments.ts'
import { temporaryFolder } from '../tracker/support/test-tracker.ts'
import { commandOf, deploy, read, root } from './deployed.ts'
import { complaintsAbout, noAnalyze } from './verified-unit.ts'

const unitName = 'coterie-tracker@.service'

/** The values of a setting of the unit, in order. */
function settings(name: string): string[] {
  return [...read(unitName).matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))].map(([, value = '']) => value)
}

test('the unit starts a tracker of the list with options that there are, and so do those of its example', () => {
  const list = join(temporaryFolder(), 'tracker_info.txt')
  writeFileSync(list, '127.0.0.1:9002\n127.0.0.1:9003\n')
  const [program, ...words] = (settings('ExecStart')[0] ?? '').split(' ')
  expect(program).toBe('/opt/coterie/tracker')
  const [, example = ''] = /TRACKER_OPTIONS="([^"]+)"/.exec(read(unitName)) ?? []
  expect(example).not.toBe('')
  const known = new Map([
    ['/etc/coterie/tracker_info.txt', [list]],
    ['%i', ['2']],
    ['${STATE_DIRECTORY}', ['/var/lib/coterie']],
    ['$TRACKER_OPTIONS', example.split(' ')],
  ])
  expect(parseArguments(words.flatMap((word) => known.get(word) ?? [word]))).toMatchObject({
    number: 2,
    address: { port: 9003 },
    dataFolder: '/var/lib/coterie',
    metricsPort: 9464,
    logLevel: 'info',
  })
})

test('the unit comes back whatever happens, but for a command line that makes no sense, and has no rights', () => {
  expect(settings('Restart')).toEqual(['always'])
  // The exit code of a usage mistake.
  expect(settings('RestartPreventExitStatus')).toEqual(['2'])
  for (const name of ['DynamicUser', 'NoNewPrivileges', 'ProtectHome', 'PrivateDevices'])
    expect([name, settings(name)]).toEqual([name, ['yes']])
  expect(settings('CapabilityBoundingSet')).toEqual([''])
  expect(settings('StateDirectory')).toEqual(['coterie'])
})

test.skipIf(noAnalyze !== '')(`systemd understands every line of the unit${noAnalyze}`, () => {
  const program: [string, string] = ['/opt/coterie/tracker', join(root, 'tracker')]
  expect(complaintsAbout('coterie-tracker@1.service', read(unitName), program)).toEqual([])
})

test('the trackers of the compose file are started with options that there are, each with its own number', () => {
  const list = join(deploy, 'tracker_info.txt')
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'tracker'), 'user: "tracker"\npassword: "secret"\n')
  writeFileSync(join(folder, 'ca'), rootCertificates[0] ?? '')
  const parsed = [1, 2].map((number) => {
    const words = commandOf(`tracker-${number}`)
    expect(words[0]).toBe('/etc/coterie/tracker_info.txt')
    return parseArguments([
      list,
      ...words.slice(1).map((word) => word.replace('=/run/secrets/nats-', `=${folder}/`)),
    ])
  })
  const servers = ['127.0.0.1:4222', '127.0.0.1:4223', '127.0.0.1:4224']
  const nats = {
    isTls: true,
    ca: rootCertificates[0],
    servers,
    replicas: 3,
    user: 'tracker',
    password: 'secret',
  }
  expect(parsed).toMatchObject([
    { number: 1, address: { host: '127.0.0.1', port: 9002 }, dataFolder: '/data', metricsPort: 9464, nats },
    { number: 2, address: { host: '127.0.0.1', port: 9003 }, dataFolder: '/data', metricsPort: 9465, nats },
  ])
})

test('every volume and every file that the compose file mounts is there', () => {
  const text = read('compose.yaml')
  const mounts = [...text.matchAll(/['"]?((?:\.\/)?[\w./-]+):\/(?:data|etc)[\w./-]*(?::ro)?['"]?/g)].map(
    ([, from = '']) => from,
  )
  expect(mounts.length).toBeGreaterThanOrEqual(10)
  const [, volumes = ''] = /^volumes:\n((?: {2}.*\n)+)/m.exec(text) ?? []
  for (const from of mounts) {
    if (from.startsWith('./')) expect([from, existsSync(join(deploy, from))]).toEqual([from, true])
    else expect(volumes).toContain(`  ${from}: {}`)
  }
})

test('every secret that a service gets is one that the script makes, where nats.conf looks for it', () => {
  const text = read('compose.yaml')
  const made = [...text.matchAll(/^ {2}(nats-\w+): \{ file: \.\/nats\/secrets\/(\w+) \}$/gm)].map(
    ([, name = '', file = '']) => [name, file] as const,
  )
  const script = read('nats/make-secrets.sh')
  const written = /^# Writes .*\n#\n((?:# {3}\w+ .*\n)+)/m.exec(script)?.[1] ?? ''
  expect(made.map(([, file]) => file)).toEqual([...written.matchAll(/^# {3}(\w+)/gm)].map(([, file]) => file))
  const ofServers = [...text.matchAll(/\{ source: (\S+), target: \/etc\/nats\/secrets\/(\S+) \}/g)].map(
    ([, name, file]) => [name, file],
  )
  expect(ofServers).toEqual(made)
  const used = [
    ...read('nats/nats.conf').matchAll(/include 'secrets\/(\w+)'|_file: \/etc\/nats\/secrets\/(\w+)/g),
  ]
  expect(new Set(used.map(([, included, named]) => included ?? named))).toEqual(
    new Set(made.map(([, file]) => file)),
  )
  // Of the others a tracker has no need.
  expect(text).toMatch(/x-tracker:[^]*?\n {2}secrets: \['nats-ca', 'nats-tracker'\]\n\nservices:/)
})

test('no password is in what is deployed, and none is committed', () => {
  for (const name of ['compose.yaml', 'nats/nats.conf', 'coterie-tracker@.service'])
    expect([name, read(name)]).toEqual([name, expect.not.stringMatching(/:\/\/[^/\s]*@|password\s*[:=]/i)])
  expect(readFileSync(join(root, '.gitignore'), 'utf8')).toContain('deploy/nats/secrets/\n')
})

test('the image is built from what its build needs', () => {
  const dockerfile = read('Dockerfile')
  const needed = dockerfile.slice(0, dockerfile.lastIndexOf('FROM ')).matchAll(/^COPY (.+) \S+$/gm)
  const sources = [...needed].flatMap(([, names = '']) => names.split(' '))
  const letThrough = read('Dockerfile.dockerignore')
    .split('\n')
    .filter((line) => line.startsWith('!'))
    .map((line) => line.slice(1))
  expect(sources.toSorted()).toEqual(letThrough.toSorted())
  for (const name of sources) expect([name, existsSync(join(root, name))]).toEqual([name, true])
})
