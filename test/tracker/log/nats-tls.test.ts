// An encrypted connection to a real server of NATS: whose certificates are taken, and that the log works behind it.

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { parseNatsAddress, type NatsAddress } from '../../../src/tracker/log/nats/nats-address.ts'
import { judgeVersion } from '../../../src/tracker/log/nats/nats-greeting.ts'
import { natsIsMissing, startNats, type NatsServer } from '../support/nats-server.ts'
import { temporaryFolder } from '../support/test-tracker.ts'
import { openNats } from './engines.ts'
import { Follower } from './follower.ts'

const noOpenssl = spawnSync('openssl', ['version']).status === 0 ? '' : ' (skipped: there is no openssl here)'
const isMissing = natsIsMissing === '' ? noOpenssl : natsIsMissing

/** A server whose certificate is for these names, and vouches for itself. */
async function serverFor(names: string): Promise<{ server: NatsServer; address: NatsAddress }> {
  const folder = temporaryFolder()
  const [cert, key] = [join(folder, 'cert'), join(folder, 'key')]
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', key]
  const words = [
    'req',
    '-x509',
    ...curve,
    '-out',
    cert,
    '-subj',
    '/CN=test',
    '-addext',
    `subjectAltName=${names}`,
  ]
  expect(spawnSync('openssl', words, { encoding: 'utf8' })).toMatchObject({ status: 0 })
  const server = await startNats(folder, { words: ['--tls', '--tlscert', cert, '--tlskey', key] })
  onTestFinished(() => server.kill())
  return {
    server,
    address: { ...parseNatsAddress(`tls://${server.address}`), ca: readFileSync(cert, 'utf8') },
  }
}

describe.skipIf(isMissing !== '')(`a server of NATS with TLS${isMissing}`, () => {
  test('keeps a log, also for a connection that was lost and made again', async () => {
    const { server, address } = await serverFor('IP:127.0.0.1')
    const said: string[] = []
    const log = await openNats(address, { onLink: (sentence) => void said.push(sentence) })
    const follower = new Follower()
    await log.follow(follower)
    await log.append(['a'])
    await server.kill()
    await server.start()
    await vi.waitFor(() => expect(said.at(-1)).toBe(`connected to tls://${server.address}/coterie again`), {
      timeout: 10_000,
    })
    await log.append(['b'])
    expect(follower.delivered).toEqual(['1 a', '2 b'])
  })

  test('is warned of where its version is worth a warning', async () => {
    const { server, address } = await serverFor('IP:127.0.0.1')
    const said: string[] = []
    await openNats(address, { onLink: (sentence) => void said.push(sentence) })
    const [, version = ''] = /Version: +(\S+)/.exec(server.log) ?? []
    const { warning } = judgeVersion(version)
    expect(said).toEqual(warning === undefined ? [] : [`NATS at ${server.address} ${warning}`])
  })

  test('is taken by any name of the list that its certificate has, and by no other', async () => {
    const { server, address } = await serverFor('DNS:localhost')
    await expect(openNats(address)).rejects.toMatchObject({
      code: 'data',
      message: `NATS at tls://${server.address}/coterie has a certificate for other names and addresses than those after --log`,
    })
    // As one that the cluster told of, or that is reached through a tunnel.
    const named = { ...address, servers: [server.address, 'localhost:1'], replicas: 1 }
    await expect(openNats(named)).resolves.toBeDefined()
  })

  test('is not taken when nobody vouches for it, even by its right name', async () => {
    const { server, address } = await serverFor('IP:127.0.0.1')
    await expect(openNats({ ...address, ca: undefined })).rejects.toMatchObject({
      code: 'data',
      message: `NATS at tls://${server.address}/coterie has a certificate that this machine does not trust; name the certificate of its authority with --log-ca`,
    })
  })
})
