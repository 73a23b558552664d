// A tracker and clients of some users, real ones, between which a test makes faults.

import { mkdirSync, writeFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { onTestFinished, vi } from 'vitest'
import { Client } from '../../../src/client/client.ts'
import type { ClientOptions } from '../../../src/client/client-options.ts'
import type { Address } from '../../../src/common/addresses.ts'
import type { Finding } from '../../../src/client/diagnosis/reasons.ts'
import type { Tracker, TrackerOptions } from '../../../src/tracker/tracker.ts'
import { runTrackerWith, temporaryFolder } from '../../tracker/support/test-tracker.ts'
import { register, remember } from '../../integration/accounts.ts'
import { sampleBytes } from '../sharing/sample-file.ts'
import { expectOk, Member } from '../sharing/two-sharers.ts'

const password = 'secret'
const patience = { timeout: 12_000, interval: 15 }
export const pieceCount = 4
const sizeBytes = pieceCount * 512 * 1024

export type Options = Partial<Omit<ClientOptions, 'folder' | 'onFailure'>>

export class Place {
  readonly tracker: Tracker
  /** As the tracker calls it, by the users who have an account. */
  readonly #communities = new Map<string, string>()
  readonly #ports = new Map<Member, number>()

  private constructor(tracker: Tracker) {
    this.tracker = tracker
  }

  static async open(options: Partial<TrackerOptions> = {}): Promise<Place> {
    return new Place(await runTrackerWith(options))
  }

  /** A client of this user that is not logged in. */
  async client(user: string, options: Options = {}): Promise<Member> {
    const folder = temporaryFolder()
    mkdirSync(join(folder, 'files'))
    const client = new Client({
      listen: { host: '127.0.0.1', port: 0 },
      trackers: [this.tracker.address],
      folder: join(folder, 'data'),
      onFailure: (error) => {
        throw error
      },
      ...options,
    })
    onTestFinished(() => client.close())
    const port = await client.start()
    const member = new Member(user, client, folder)
    this.#ports.set(member, port)
    return member
  }

  /** Where the client listens. */
  portOf(member: Member): number {
    return this.#ports.get(member) ?? 0
  }

  /** Logged in; another machine of the user when there is one already. */
  async member(user: string, options?: Options): Promise<Member> {
    const member = await this.client(user, options)
    const community = this.#communities.get(user) ?? (await register(this.tracker.address, user, password))
    this.#communities.set(user, community)
    await remember(member.path('data'), community, user, password)
    await member.login()
    return member
  }

  async group(group: string, owner: Member, ...others: readonly Member[]): Promise<void> {
    expectOk(await owner.client.operations.createGroup(group))
    for (const other of others) {
      expectOk(await other.client.operations.joinGroup(group))
      expectOk(await owner.client.operations.acceptRequest(group, other.user))
    }
  }

  /** A file of four pieces; its path. */
  async shares(member: Member, group: string, name: string): Promise<string> {
    const path = member.path('files', name)
    writeFileSync(path, sampleBytes(sizeBytes, name.length + name.charCodeAt(0)))
    expectOk(await member.client.operations.uploadFile(path, group))
    return path
  }

  async fetches(member: Member, group: string, name: string): Promise<void> {
    const destination = member.path('files', `of-${group}-${name}`)
    expectOk(await member.client.operations.downloadFile(group, name, destination, { overwrite: false }))
  }

  /** Resolves when something has come. */
  async receives(member: Member, name: string): Promise<void> {
    await vi.waitFor(async () => {
      const all = await member.client.operations.showDownloads()
      const one = all.find((download) => download.name === name)
      if (one === undefined || one.piecesDone === 0) throw new Error(`nothing of ${name} has come`)
    }, patience)
  }

  async why(member: Member, group: string, name?: string): Promise<Finding[]> {
    const answer = await member.client.operations.why(group, name)
    expectOk(answer)
    return answer.ok ? answer.value : []
  }

  /** Checks that are not fine, but for those of the Node that runs the tests. */
  async troubles(member: Member): Promise<string[]> {
    const checks = await member.client.operations.doctor()
    return checks
      .filter(({ check, state }) => state !== 'ok' && check !== 'version')
      .map(({ check }) => check)
  }
}

/** Accepts and says nothing; its address. */
export async function silentServer(): Promise<Address> {
  return listening(createServer())
}

/** Passes on what comes from the port that `target` tells, so many bytes a second. */
export async function slowLine(target: () => number, bytesPerSecond: number): Promise<Address> {
  const everyMs = 50
  return listening(
    createServer((near) => {
      const far = connect(target(), '127.0.0.1')
      near.pipe(far)
      const timer = setInterval(() => {
        const slice = far.read(Math.ceil((bytesPerSecond * everyMs) / 1000)) ?? far.read()
        if (slice !== null) near.write(slice as Buffer)
      }, everyMs)
      for (const end of [near, far])
        end
          .on('error', () => end.destroy())
          .on('close', () => {
            clearInterval(timer)
            near.destroy()
            far.destroy()
          })
    }),
  )
}

async function listening(server: Server): Promise<Address> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => sockets.add(socket.on('error', () => undefined)))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port }
}
