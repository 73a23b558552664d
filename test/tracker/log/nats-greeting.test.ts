// Which servers of NATS are refused before they are used, by what they say of themselves.

import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { parseNatsAddress, type NatsAddress } from '../../../src/tracker/log/nats/nats-address.ts'
import { checkServers, judgeVersion } from '../../../src/tracker/log/nats/nats-greeting.ts'
import { NatsLog } from '../../../src/tracker/log/nats/nats-log.ts'

/** Servers that greet like this, and say nothing more. */
async function serversThatSay(scheme: string, ...greetings: string[]): Promise<NatsAddress> {
  const servers = greetings.map((greeting) =>
    createServer((socket) => {
      // Those who ask hang up.
      socket.on('error', () => undefined).write(greeting)
    }).listen(0, '127.0.0.1'),
  )
  await Promise.all(servers.map((server) => once(server, 'listening')))
  onTestFinished(() => servers.forEach((server) => server.close()))
  const hosts = servers.map((server) => `127.0.0.1:${(server.address() as AddressInfo).port}`)
  return parseNatsAddress(`${scheme}://${hosts.join(',')}`)
}

const info = (fields: object): string => `INFO ${JSON.stringify({ server_id: 'x', ...fields })} \r\n`

test('versions that lost whole streams are refused, older ones warned of, and newer ones taken', () => {
  for (const version of ['2.10.0', '2.10.9', '2.10.20', '2.10.22', 'v2.10.22', '2.10.22-RC.1'])
    expect(judgeVersion(version)).toEqual({
      refusal: `has version ${version}, with known faults that can lose the whole log when servers are killed and start again; update it to 2.10.23 or newer`,
    })
  for (const version of ['2.9.10', '2.9.25', '2.8.4'])
    expect(judgeVersion(version)).toEqual({
      warning: expect.stringMatching(/^has version .* answers before it flushes: .*sync_interval/) as string,
    })
  for (const version of ['2.10.23', '2.10.29', '2.11.0', '2.12.3', '3.0.0', 'unknown', ''])
    expect(judgeVersion(version)).toEqual({})
})

test('one server of a cluster with such a version is named, at once', async () => {
  const address = await serversThatSay('nats', info({ version: '2.10.29' }), info({ version: '2.10.18' }))
  await expect(NatsLog.open(address)).rejects.toMatchObject({
    code: 'data',
    message: expect.stringMatching(
      `^NATS at ${address.servers[1]} has version 2.10.18, with known faults that can lose the whole log`,
    ) as string,
  })
})

test('a server that encrypts, or does not, against what was asked for is named, at once', async () => {
  const version = '2.11.0'
  const encrypting = await serversThatSay('nats', info({ version, tls_required: true }))
  await expect(NatsLog.open(encrypting)).rejects.toMatchObject({
    code: 'data',
    message: `NATS at ${encrypting.servers[0]} takes only encrypted connections; write --log tls://…`,
  })
  const plain = await serversThatSay('tls', info({ version }))
  await expect(NatsLog.open(plain)).rejects.toMatchObject({
    code: 'data',
    message: expect.stringMatching(`^NATS at ${plain.servers[0]} does not speak TLS; `) as string,
  })
  for (const fields of [{ tls_required: true }, { tls_available: true }])
    expect(await checkServers(await serversThatSay('tls', info({ version, ...fields })))).toEqual([])
})

test('2.9 is warned of once for each server, and servers that are none are left to the connection', async () => {
  const old = info({ version: '2.9.10' })
  const address = await serversThatSay(
    'nats',
    old,
    'SSH-2.0-OpenSSH_9.2\r\n',
    'INFO {\r\n',
    'x'.repeat(100_000),
    old,
  )
  expect(await checkServers(address)).toEqual(
    [0, 4].map(
      (index) => expect.stringMatching(`^NATS at ${address.servers[index]} has version 2.9.10,`) as string,
    ),
  )
})
