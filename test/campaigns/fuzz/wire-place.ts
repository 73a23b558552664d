// A live tracker and a live client that shares a file, plain or with TLS, and ways to connect to them.

import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { greetPeer } from '../../../src/client/downloading/peer-greeting.ts'
import { NetworkChanges } from '../../../src/client/network/network-changes.ts'
import { TrackerConnection, type Told } from '../../../src/client/tracker-link/tracker-connection.ts'
import { parseAddress, type Address } from '../../../src/common/addresses.ts'
import { lineBytesMax } from '../../../src/common/limits.ts'
import { peerProtocol, type PeerProtocol } from '../../../src/common/protocol/peer-protocol.ts'
import type { Peer } from '../../../src/common/protocol/tracker-protocol.ts'
import { makeIdentity, type Identity } from '../../../src/common/security/identity.ts'
import { credentialsOf, deriveKeys, type ClientKeys } from '../../../src/common/security/scram.ts'
import { scramIterations } from '../../../src/common/limits.ts'
import type { Answer } from '../../../src/common/refusal.ts'
import { Caller } from '../../../src/common/wire/caller.ts'
import { openChannel } from '../../../src/common/wire/open-channel.ts'
import type { Channel } from '../../../src/common/wire/channel.ts'
import { Protection, type Encryption } from '../../../src/common/wire/protection.ts'
import { Program } from '../../../src/demo/program.ts'

const group = 'fuzz'
const [owner, password, file] = ['owner', 'a long password', 'file.bin']

/** What a member may fetch, and from whom. */
export interface Access {
  readonly fileId: string
  readonly ticket: string
  readonly peer: Peer
}

export class WirePlace {
  readonly encryption: Encryption
  readonly #folder = mkdtempSync(join(tmpdir(), 'coterie-fuzz-'))
  #tracker: Program | undefined
  #client: Program | undefined
  #address: Address = { host: '127.0.0.1', port: 0 }
  #keys: ClientKeys | undefined

  constructor(encryption: Encryption) {
    this.encryption = encryption
  }

  get programs(): readonly Program[] {
    return [this.#tracker, this.#client].filter((program) => program !== undefined)
  }

  async start(members: readonly string[]): Promise<void> {
    const tls = this.encryption === 'always' ? ['--tls'] : []
    this.#tracker = new Program('tracker', 'tracker', ['127.0.0.1', '0', '--memory', ...tls])
    const line = await this.#tracker.next((text) => text.includes('listening on'))
    this.#address = parseAddress(line.split(' ').at(-1) ?? '')
    const pinned =
      tls.length === 0
        ? `127.0.0.1:${this.#address.port}`
        : (await this.#tracker.next((text) => text.includes('sha256:'))).split(': ')[1]
    const list = join(this.#folder, 'trackers.txt')
    writeFileSync(list, `${pinned ?? ''}\n`)
    const words = ['127.0.0.1:0', list, '--data-dir', join(this.#folder, 'client'), ...tls]
    this.#client = new Program('client', 'client', words)
    await this.#client.say(`create_user ${owner} "${password}"`)
    await this.#client.say(`login ${owner} "${password}"`)
    await this.#client.say(`create_group ${group}`)
    const path = join(this.#folder, file)
    writeFileSync(path, randomBytes(2 * 1024 * 1024))
    await this.#client.say(`upload_file ${path} ${group}`, (text) => text.startsWith('sharing '))
    this.#keys = await deriveKeys(password, randomBytes(16).toString('base64'), scramIterations)
    for (const member of members) await this.#enrol(member)
  }

  async close(): Promise<void> {
    for (const program of this.programs) await program.kill()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async logIn(user: string, identity: Identity, isNew = false): Promise<TrackerConnection> {
    const connection = new TrackerConnection({
      address: this.#address,
      listen: { host: '127.0.0.1', port: 0 },
      identity,
      protection: new Protection(identity.forTls, this.encryption),
      changes: new NetworkChanges(),
      trust: { check: () => undefined, pinOf: () => undefined },
      whereabouts: async () => ({ port: 1 }),
      // Ignores every notification.
      told: new Proxy({}, { get: () => () => undefined }) as Told,
      onTrackers: () => undefined,
      credentialsFor: () => undefined,
      onLoginEnded: () => undefined,
      onUp: () => undefined,
      onDown: () => undefined,
    })
    await connection.start()
    const keys = this.#keys as ClientKeys
    if (isNew) must(await connection.request('register', { id: newId(), user, ...credentialsOf(keys) }))
    must(await connection.login({ user, keys: () => Promise.resolve(keys) }))
    return connection
  }

  async access(connection: TrackerConnection): Promise<Access> {
    const { fileId, ticket, peers } = must(await connection.request('find_file', { group, name: file }))
    const [peer] = peers
    if (peer === undefined) throw new Error('nobody shares the file')
    return { fileId, ticket, peer }
  }

  /** A connection on which nothing was said. */
  openToTracker(identity: Identity): Promise<Channel> {
    return this.#open(this.#address, identity)
  }

  openToPeer({ peer }: Access, identity: Identity): Promise<Channel> {
    return this.#open(peer, identity)
  }

  /** A connection to the client that shares, with the key proved. */
  async greet(access: Access, identity: Identity): Promise<Caller<PeerProtocol>> {
    const caller = new Caller(await this.#open(access.peer, identity), peerProtocol, {
      onTold: new Proxy({}, { get: () => () => undefined }) as never,
      onClosed: () => undefined,
    })
    must(await greetPeer(caller, { ...access, identity }))
    return caller
  }

  #open(address: Address, identity: Identity): Promise<Channel> {
    const tls = new Protection(identity.forTls, this.encryption).towards(address.host, () => undefined)
    return openChannel({ host: address.host, port: address.port }, lineBytesMax, { tls })
  }

  async #enrol(user: string): Promise<void> {
    const connection = await this.logIn(user, makeIdentity(), true)
    must(await connection.request('join_group', { id: newId(), group }))
    await this.#client?.say(`accept_request ${group} ${user}`, (text) => text.includes('is now a member'))
    connection.stop()
  }
}

export function newId(): string {
  return randomBytes(12).toString('base64url')
}

export function must<T>(answer: Answer<T>): T {
  if (!answer.ok) throw new Error(answer.refusal.sentence)
  return answer.value
}
