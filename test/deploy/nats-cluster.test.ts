// deploy/nats/nats.conf, started for real three times over: it is understood, and the three make a cluster.

import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { parseNatsAddress } from '../../src/tracker/log/nats/nats-address.ts'
import { NatsLog } from '../../src/tracker/log/nats/nats-log.ts'
import { Follower } from '../tracker/log/follower.ts'
import { temporaryFolder } from '../tracker/support/test-tracker.ts'

const conf = readFileSync(fileURLToPath(new URL('../../deploy/nats/nats.conf', import.meta.url)), 'utf8')
/** Debian puts it where only root's PATH looks. */
const program = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin']
  .map((folder) => join(folder, 'nats-server'))
  .find((path) => existsSync(path))
const isMissing = program === undefined ? ' (skipped: nats-server is not installed)' : ''

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map((server) => once(server, 'listening')))
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  for (const server of servers) server.close()
  return ports
}

/** As nats-server says it: the config knows a setting that 2.9 does not, and says to remove it there. */
function isBefore210(): boolean {
  const { stdout } = spawnSync(program ?? '', ['--version'], { encoding: 'utf8' })
  return /v2\.[0-9]\./.test(stdout)
}

/** The file as it is, but for what three on one machine must not have in common. */
function confOf(folder: string, client: number, route: number, routes: readonly number[]): string {
  const changed = conf
    .replace('listen: 0.0.0.0:4222', `listen: 127.0.0.1:${client}`)
    .replace('listen: 0.0.0.0:6222', `listen: 127.0.0.1:${route}`)
    .replace('store_dir: /data', `store_dir: "${folder}"`)
    .replaceAll(/nats:\/\/nats-(\d):6222/g, (_, number) => `nats://127.0.0.1:${routes[Number(number) - 1]}`)
  return isBefore210() ? changed.replace('sync_interval: always', '') : changed
}

function start(name: string, path: string): { child: ChildProcess; said: (what: RegExp) => Promise<string> } {
  const child = spawn(program ?? '', ['-c', path], {
    env: { NATS_SERVER_NAME: name },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let log = ''
  let onNews = (): void => undefined
  child.stderr?.on('data', (bytes: Buffer) => {
    log += bytes.toString()
    onNews()
  })
  child.on('exit', () => onNews())
  onTestFinished(async () => {
    if (child.exitCode !== null) return
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  })
  const said = async (what: RegExp): Promise<string> => {
    for (;;) {
      const match = what.exec(log)
      if (match !== null) return match[0]
      if (child.exitCode !== null) throw new Error(`${name} ended: ${log}`)
      await new Promise<void>((resolve) => (onNews = resolve))
    }
  }
  return { child, said }
}

test.skipIf(isMissing !== '')(
  `three servers with the config are one cluster with JetStream${isMissing}`,
  async () => {
    const folder = temporaryFolder()
    const ports = await freePorts(6)
    const [clients, routes] = [ports.slice(0, 3), ports.slice(3)]
    const servers = clients.map((client, index) => {
      const path = join(folder, `${index}.conf`)
      writeFileSync(path, confOf(join(folder, String(index)), client, routes[index] ?? 0, routes))
      return start(`nats-${index + 1}`, path)
    })
    for (const [index, { said }] of servers.entries()) {
      expect(await said(/Name: .*/)).toContain(`nats-${index + 1}`)
      await said(/Server is ready/)
    }
    // Chosen by a majority of the three that the routes name, and told to the others.
    const chosen = await Promise.all(
      servers.map(({ said }) =>
        said(/Self is new JetStream cluster metadata leader|new metadata leader: nats-\d\/coterie/),
      ),
    )
    expect(chosen.filter((line) => line.startsWith('Self'))).toHaveLength(1)
    // And a tracker's log can be kept in it, in three copies.
    const address = parseNatsAddress(`nats://${clients.map((port) => `127.0.0.1:${port}`).join(',')}`)
    const log = await NatsLog.open(address)
    onTestFinished(() => log.close())
    const follower = new Follower()
    await log.follow(follower)
    await log.append(['a', 'b'])
    expect([address.replicas, follower.delivered, log.lag().entries]).toEqual([3, ['1 a', '2 b'], 0])
  },
)
