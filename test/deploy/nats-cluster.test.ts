// deploy/nats, started for real three times over: the servers make a cluster, encrypt everything, let nobody in without
// a password, and allow the trackers their log and nothing else.

import { createPrivateKey, X509Certificate } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect as connectTo } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { NatsLog } from '../../src/tracker/log/nats/nats-log.ts'
import { World } from '../integration/world.ts'
import { Follower } from '../tracker/log/follower.ts'
import { administrator } from '../tracker/support/administrator.ts'
import { natsIsMissing } from '../tracker/support/nats-server.ts'
import { commandOf } from './deployed.ts'
import { DeployedCluster, DeployedServer, leaderIsThere } from './nats-cluster.ts'

/** As on the first day. */
async function expectNoLog(cluster: DeployedCluster): Promise<void> {
  const { streams } = (await administrator(cluster.address('admin'))).manager
  for await (const { config } of streams.list()) await streams.delete(config.name)
  expect(await streams.list().next()).toEqual([])
}

async function following(cluster: DeployedCluster): Promise<{ log: NatsLog; follower: Follower }> {
  const log = await NatsLog.open(cluster.address('tracker'), { entriesKept: 0 })
  onTestFinished(() => log.close())
  const follower = new Follower()
  await log.follow(follower)
  return { log, follower }
}

/** What a server answers somebody who claims to be one, in the clear or with this certificate, until it hangs up. */
async function saidToStranger(
  cluster: DeployedCluster,
  tls: { cert?: Buffer | undefined; key?: Buffer | undefined } | undefined,
): Promise<string> {
  const plain = connectTo(cluster.routePorts[0] ?? 0, '127.0.0.1')
  const socket =
    tls === undefined
      ? plain
      : connectTls({ socket: plain, ca: cluster.address().ca, servername: 'localhost', ...tls })
  let said = ''
  socket.on('data', (bytes: Buffer) => (said += bytes.toString()))
  // Being cut off is what it may do.
  socket.on('error', () => undefined)
  const who = { name: 'stranger', cluster: 'coterie', verbose: false, tls_required: false }
  socket.write(`CONNECT ${JSON.stringify(who)}\r\nPING\r\n`)
  await new Promise((resolve) => socket.on('close', resolve))
  return said
}

describe.skipIf(natsIsMissing)(`three servers as they are deployed${natsIsMissing}`, () => {
  let cluster: DeployedCluster
  beforeAll(async () => {
    cluster = await DeployedCluster.prepare()
    await cluster.start()
  })
  afterAll(() => cluster.close())

  test('are one cluster with JetStream', async () => {
    for (const [index, server] of cluster.servers.entries())
      expect(await server.said(/Name: .*/)).toContain(`nats-${index + 1}`)
    // Chosen by a majority of the three that the routes name, and told to the others.
    const chosen = await Promise.all(cluster.servers.map((server) => server.said(leaderIsThere)))
    expect(chosen.filter((line) => line.startsWith('Self'))).toHaveLength(1)
  })

  test('let nobody in without a password, or with a wrong one', async () => {
    const refused = {
      code: 'data',
      message: expect.stringMatching(/^NATS refuses the user, password/) as string,
    }
    const address = cluster.address()
    await expect(NatsLog.open(address)).rejects.toMatchObject(refused)
    for (const user of ['tracker', 'admin', 'route'])
      await expect(NatsLog.open({ ...address, user, password: 'wrong' })).rejects.toMatchObject(refused)
    await expect(NatsLog.open({ ...address, token: 'wrong' })).rejects.toMatchObject(refused)
  })

  test('take no other server into the cluster, neither without their certificate nor without the password', async () => {
    const [cert, key] = ['certificate', 'key'].map((name) => readFileSync(cluster.secret(name)))
    expect(await saidToStranger(cluster, undefined)).not.toMatch(/INFO|PONG/)
    expect(await saidToStranger(cluster, {})).toBe('')
    expect(await saidToStranger(cluster, { cert, key })).toContain("-ERR 'Authorization Violation'")
  })

  test('talk to nobody who does not encrypt, and are known to nobody who lacks their certificate', async () => {
    const address = cluster.address('tracker')
    const [first = ''] = address.servers
    const refused = (message: string) => ({ code: 'data', message })
    await expect(NatsLog.open({ ...address, isTls: false })).rejects.toMatchObject(
      refused(`NATS at ${first} takes only encrypted connections; write --log tls://…`),
    )
    const where = `NATS at tls://${address.servers.join()}/coterie`
    await expect(NatsLog.open({ ...address, ca: undefined })).rejects.toMatchObject(
      refused(
        `${where} has a certificate that this machine does not trust; name the certificate of its authority with --log-ca`,
      ),
    )
    const other = await DeployedCluster.prepare()
    onTestFinished(() => other.close())
    await expect(NatsLog.open({ ...address, ca: other.address().ca })).rejects.toMatchObject(
      refused(`${where} has a certificate that is not from the authority of --log-ca; name the right one`),
    )
  })

  test('keep a log with the rights of a tracker: appends, reads, news and snapshots', async () => {
    await expectNoLog(cluster)
    const [one, two] = [await following(cluster), await following(cluster)]
    const news: string[] = []
    const { connection, manager: own } = await administrator(cluster.address('tracker'))
    connection.subscribe('coterie.news', {
      callback: (error, message) => void news.push(error?.message ?? message.string()),
    })
    await connection.flush()
    await one.log.append(['a', 'b'])
    await two.log.append(['c'])
    // From two connections, at two servers perhaps: in any order.
    await vi.waitFor(() => expect(news.toSorted()).toEqual(['1', '2']))
    await one.log.sync()
    expect(one.follower.delivered).toEqual(['1 a', '2 b', '3 c'])
    expect(two.follower.delivered).toEqual(one.follower.delivered)
    // From the leader, and from any server while there is none.
    for (const source of [own.streams, own.direct])
      expect((await source.getMessage('coterie', { seq: 2 }))?.string()).toBe('["c"]')
    // Written, the entries before it truncated; then a newer one, and the first removed.
    await one.log.saveSnapshot(() => ({ position: 3, text: 'abc' }))
    await one.log.append(['d'])
    await one.log.saveSnapshot(() => ({ position: 4, text: 'abcd' }))
    await one.log.append(['e'])
    expect((await following(cluster)).follower.delivered).toEqual(['4 [abcd]', '5 e'])
    const { manager } = await administrator(cluster.address('admin'))
    const streams = await Promise.all(
      ['coterie', 'coterie_snapshots'].map((name) => manager.streams.info(name)),
    )
    expect(streams.map(({ config, state }) => [config.num_replicas, state.messages])).toEqual([
      [3, 1],
      [3, 2],
    ])
  })

  describe('with the password of a tracker', () => {
    const expectForbidden = async (what: Promise<unknown>): Promise<void> => {
      await expect(what).rejects.toThrow(/^Permissions Violation for (Publish|Subscription) to /)
    }

    test('nothing is allowed with another stream, and nothing but its own work with the log', async () => {
      const admin = await administrator(cluster.address('admin'))
      const tracker = await administrator(cluster.address('tracker'))
      await admin.manager.streams.add({ name: 'books', subjects: ['books.log'], num_replicas: 1 })
      await admin.publish('books.log', 'private')
      const { streams, direct, consumers } = tracker.manager
      await expectForbidden(tracker.publish('books.log', 'forged'))
      await expectForbidden(streams.info('books'))
      await expectForbidden(streams.getMessage('books', { seq: 1 }))
      await expectForbidden(direct.getMessage('books', { seq: 1 }))
      await expectForbidden(streams.purge('books'))
      await expectForbidden(streams.delete('books'))
      await expectForbidden(streams.add({ name: 'others', subjects: ['others'] }))
      await expectForbidden(consumers.add('books', { ack_policy: 'none' }))
      for (const name of ['coterie', 'coterie_snapshots']) {
        await expectForbidden(streams.delete(name))
        await expectForbidden(streams.deleteMessage(name, 1))
        await expectForbidden(streams.update(name, { max_msgs: 1 }))
      }
      expect((await admin.manager.streams.info('books')).state).toMatchObject({ messages: 1, last_seq: 1 })
    })

    test('nothing is heard but the news of the log and what one asked for', async () => {
      const { connection } = await administrator(cluster.address('tracker'))
      for (const subject of [
        '>',
        '*',
        'books.log',
        '_INBOX.>',
        '_INBOX.*.>',
        'coterie.log',
        '$JS.>',
        '$SYS.>',
      ]) {
        const refusal = await new Promise<Error | null>((resolve) => {
          connection.subscribe(subject, { callback: (error) => resolve(error) })
        })
        expect([subject, refusal?.message]).toEqual([
          subject,
          `Permissions Violation for Subscription to "${subject}"`,
        ])
      }
    })

    test('another log than that of the configuration is refused in a sentence, at once', async () => {
      const address = { ...cluster.address('tracker'), stream: 'books' }
      await expect(NatsLog.open(address)).rejects.toMatchObject({
        code: 'data',
        message: expect.stringMatching(
          /^the NATS user lacks permissions that a tracker needs at tls:.*\/books \(Permissions Violation .*\); deploy\/nats\/nats\.conf lists them$/,
        ) as string,
      })
    })
  })

  test('serve the trackers of the compose file, started as it starts them', async () => {
    await expectNoLog(cluster)
    const world = new World()
    onTestFinished(() => world.close())
    const list = world.path('tracker_info.txt')
    writeFileSync(list, '127.0.0.1:0\n127.0.0.1:0\n')
    const servers = cluster.address().servers.join()
    const words = (number: number): string[] =>
      commandOf(`tracker-${number}`).map((word) =>
        word
          .replace('/etc/coterie/tracker_info.txt', list)
          .replace('--data-dir=/data', `--data-dir=${world.path(`data of ${number}`)}`)
          .replace('127.0.0.1:4222,127.0.0.1:4223,127.0.0.1:4224', `${servers}/coterie`)
          .replace(/\/run\/secrets\/nats-(\w+)/, (_path, name: string) => cluster.secret(name))
          .replace(/--metrics=\d+/, '--metrics=0'),
      )
    const { password = 'none' } = cluster.address('tracker')
    const trackers = [1, 2].map((number) => {
      expect(words(number).join(' ')).not.toContain(password)
      return world.run(`tracker ${number}`, 'tracker', words(number))
    })
    for (const [index, tracker] of trackers.entries()) {
      const line = await tracker.until(/ listening on 127/)
      const client = world.run(`client ${index}`, 'client', [
        ...['127.0.0.1', '0', '127.0.0.1', line.split(':').at(-1) ?? ''],
        ...['--data-dir', world.path(`client ${index}`)],
      ])
      // Registered at the first, and logged in at the second.
      await client.does(...(index === 0 ? ['create_user ann secret'] : []), 'login ann secret')
    }
    for (const tracker of trackers) {
      expect(tracker.stderr).not.toContain(password)
      expect(await tracker.kill('SIGTERM')).toEqual({ code: 0, signal: null })
    }
  })
})

describe.skipIf(natsIsMissing)(`the passwords and the certificate${natsIsMissing}`, () => {
  test('are made once, are all different, and lie where only their owner gets', async () => {
    const cluster = await DeployedCluster.prepare()
    onTestFinished(() => cluster.close())
    const texts = ['tracker', 'admin', 'routes'].map((name) => readFileSync(cluster.secret(name), 'utf8'))
    const made = texts.map((text) => /"([0-9a-f]{48})"/.exec(text)?.[1])
    expect(made).not.toContain(undefined)
    expect(new Set(made).size).toBe(3)
    expect(statSync(cluster.secret('')).mode & 0o777).toBe(0o700)
    const again = cluster.makeSecrets()
    expect([again.code, again.said]).toEqual([1, expect.stringMatching(/^error: cannot make .*\/secrets; /)])
    expect(readFileSync(cluster.secret('tracker'), 'utf8')).toBe(texts[0])
  })

  test('the certificate is for the addresses that the script was given, and nobody can sign another', async () => {
    const cluster = await DeployedCluster.prepare()
    onTestFinished(() => cluster.close())
    rmSync(cluster.secret(''), { recursive: true })
    expect(cluster.makeSecrets('a.example:6222', '[::1]:6222')).toEqual({ code: 0, said: '' })
    const [ca, certificate] = ['ca', 'certificate'].map(
      (name) => new X509Certificate(readFileSync(cluster.secret(name))),
    )
    if (ca === undefined) throw new Error('there is no certificate')
    expect([ca.ca, certificate?.ca, certificate?.verify(ca.publicKey)]).toEqual([true, false, true])
    expect(new Set(certificate?.subjectAltName?.split(', '))).toEqual(
      new Set(['DNS:localhost', 'IP Address:127.0.0.1', 'IP Address:0:0:0:0:0:0:0:1', 'DNS:a.example']),
    )
    expect(readdirSync(cluster.secret('')).toSorted()).toEqual(
      ['admin', 'ca', 'certificate', 'key', 'routes', 'tracker'].toSorted(),
    )
    // That key is of the servers; what signed their certificate is gone.
    const key = createPrivateKey(readFileSync(cluster.secret('key')))
    expect([certificate?.checkPrivateKey(key), ca.checkPrivateKey(key)]).toEqual([true, false])
  })

  test('when they cannot be made, nothing is left, so that nobody takes a part for the whole', async () => {
    const cluster = await DeployedCluster.prepare()
    onTestFinished(() => cluster.close())
    rmSync(cluster.secret(''), { recursive: true })
    expect(cluster.makeSecrets('not,a name:6222')).toMatchObject({
      code: 1,
      said: expect.stringMatching(/error: no passwords and no certificate were made\n$/) as string,
    })
    expect(existsSync(cluster.secret(''))).toBe(false)
  })

  test.each(['ca', 'certificate', 'key'])(
    'without the %s a server says so and does not start',
    async (name) => {
      const cluster = await DeployedCluster.prepare()
      onTestFinished(() => cluster.close())
      renameSync(cluster.secret(name), cluster.secret('elsewhere'))
      const server = new DeployedServer('alone', cluster.confOf(0))
      onTestFinished(() => server.kill())
      await expect(server.said(/Server is ready/)).rejects.toThrow(/no such file or directory|root CA|x509/)
    },
  )

  test.each(['tracker', 'admin', 'routes'])(
    'without the password of the %s a server says so and does not start',
    async (name) => {
      const cluster = await DeployedCluster.prepare()
      onTestFinished(() => cluster.close())
      renameSync(cluster.secret(name), cluster.secret('elsewhere'))
      const server = new DeployedServer('alone', cluster.confOf(0))
      onTestFinished(() => server.kill())
      await expect(server.said(/Server is ready/)).rejects.toThrow(
        new RegExp(`parsing include file 'secrets/${name}'.*no such file or directory`),
      )
    },
  )
})
