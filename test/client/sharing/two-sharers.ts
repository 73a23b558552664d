// Two real clients that share and download, a third that looks, and a real tracker that refuses when told to;
// and the plain model of who shares what, which follows the replies.

import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, vi } from 'vitest'
import { Client } from '../../../src/client/client.ts'
import type { ClientEvent } from '../../../src/client/operations.ts'
import { TrackerLink } from '../../../src/client/tracker-link/tracker-link.ts'
import type { FileEntry } from '../../../src/common/protocol/listings.ts'
import { Failure } from '../../../src/common/failure.ts'
import { refuse, type Answer } from '../../../src/common/refusal.ts'
import { TrackerConnection } from '../../../src/client/tracker-link/tracker-connection.ts'
import { runTracker, temporaryFolder } from '../../tracker/support/test-tracker.ts'

const password = 'secret'
const patience = { timeout: 12_000, interval: 15 }

export class Member {
  readonly client: Client
  readonly folder: string
  readonly events: ClientEvent[] = []
  onEvent: (event: ClientEvent) => void = () => undefined
  readonly user: string

  constructor(user: string, client: Client, folder: string) {
    this.user = user
    this.client = client
    this.folder = folder
    client.subscribe((event) => {
      // Known from its own login.
      if (event.kind === 'user-changed') return
      this.events.push(event)
      this.onEvent(event)
    })
  }

  path(...parts: readonly string[]): string {
    return join(this.folder, ...parts)
  }

  async login(): Promise<void> {
    expectOk(await this.client.operations.login(this.user, password))
  }

  async list(group: string): Promise<FileEntry[]> {
    const answer = await this.client.operations.listFiles(group)
    expectOk(answer)
    return answer.ok ? answer.value : []
  }

  async seeders(group: string, name: string): Promise<number | undefined> {
    return (await this.list(group)).find((entry) => entry.name === name)?.seeders
  }

  /** Resolves when the listing says so. */
  async lists(group: string, name: string, seeders: number | undefined): Promise<void> {
    await vi.waitFor(async () => {
      const found = await this.seeders(group, name)
      if (found !== seeders) throw new Error(`${name} has ${found} seeders, and should have ${seeders}`)
    }, patience)
  }

  /** Resolves when it has told such a sentence. */
  async tells(sentence: RegExp): Promise<void> {
    await vi.waitFor(() => {
      const isTold = this.events.some((event) => event.kind === 'notice' && sentence.test(event.sentence))
      if (!isTold) throw new Error(`not told ${sentence}: ${JSON.stringify(this.events)}`)
    }, patience)
  }
}

export class Sharers {
  /** What changes at the tracker is refused, and so is what is announced. */
  isTroubled = false
  /** Instead of refusing in trouble, nobody answers. */
  isGone = false
  #refusals = 0
  readonly #trackerPort: number

  private constructor(trackerPort: number) {
    this.#trackerPort = trackerPort
  }

  static async start(): Promise<Sharers> {
    const tracker = await runTracker()
    const sharers = new Sharers(tracker.address.port)
    sharers.#refuseInTrouble()
    return sharers
  }

  /** A new user, logged in; with a data folder of its own. `of`: another machine of that one. */
  async member(user: string, of?: Member): Promise<Member> {
    const member = await this.#client(user, temporaryFolder())
    if (of === undefined) expectOk(await member.client.operations.createUser(user, password))
    await member.login()
    return member
  }

  /** The program of a member, started again and logged in. */
  async again(member: Member): Promise<Member> {
    await member.client.close()
    const next = await this.#client(member.user, member.folder)
    await next.login()
    return next
  }

  async group(group: string, owner: Member, ...others: readonly Member[]): Promise<void> {
    expectOk(await owner.client.operations.createGroup(group))
    for (const other of others) {
      expectOk(await other.client.operations.joinGroup(group))
      expectOk(await owner.client.operations.acceptRequest(group, other.user))
    }
  }

  async #client(user: string, folder: string): Promise<Member> {
    mkdirSync(join(folder, 'files'), { recursive: true })
    const client = new Client({
      listen: { host: '127.0.0.1', port: 0 },
      trackers: [{ host: '127.0.0.1', port: this.#trackerPort }],
      folder: join(folder, 'data'),
      onFailure: (error) => {
        throw error
      },
    })
    onTestFinished(() => client.close())
    await client.start()
    return new Member(user, client, folder)
  }

  /** Resolves when so many changes have been refused. */
  async refused(count: number): Promise<void> {
    await vi.waitFor(() => {
      if (this.#refusals < count) throw new Error(`${this.#refusals} of ${count} changes were refused`)
    }, patience)
  }

  /** As the link answers after its patience, without waiting for it. */
  #refuseInTrouble(): void {
    const change = Reflect.get(TrackerLink.prototype, 'change') as (
      ...words: unknown[]
    ) => Promise<Answer<void>>
    const trouble = refuse('unavailable', 'the tracker cannot save it now')
    // oxlint-disable-next-line typescript/no-this-alias
    const sharers = this
    vi.spyOn(TrackerLink.prototype, 'change').mockImplementation(function (this: TrackerLink, ...words) {
      if (!sharers.isTroubled) return change.apply(this, words)
      sharers.#refusals++
      return sharers.isGone
        ? Promise.reject(new Failure('connection-lost', 'no tracker can be reached'))
        : Promise.resolve(trouble)
    })
    const request = Reflect.get(TrackerConnection.prototype, 'request') as (
      ...words: unknown[]
    ) => Promise<any>
    vi.spyOn(TrackerConnection.prototype, 'request').mockImplementation(function (
      this: TrackerConnection,
      ...words
    ) {
      const isTold = ['announce', 'retract'].includes(words[0])
      return sharers.isTroubled && isTold ? Promise.resolve(trouble) : request.apply(this, words)
    })
  }
}

export function expectOk(answer: Answer<unknown>): void {
  expect(answer).toMatchObject({ ok: true })
}

/**
 * Whether this file can be had whole now: fetched by somebody who does not share it on. Ends the try when
 * nobody is listed any more; fails when somebody stays listed and the file does not come.
 */
export async function fetches(by: Member, group: string, name: string, content: Buffer): Promise<boolean> {
  const destination = by.path('files', `${group}-${name}-${by.events.length}-${performance.now()}`)
  const begun = await by.client.operations.downloadFile(group, name, destination, { overwrite: false })
  if (!begun.ok) {
    expect(await by.seeders(group, name)).toBeUndefined()
    return false
  }
  await by.client.operations.stopShare(group, name)
  const view = async (): Promise<string | undefined> =>
    (await by.client.operations.showDownloads()).find((download) => download.destination === destination)
      ?.state
  const ended = await vi.waitFor(async () => {
    if ((await view()) === 'complete') return 'complete'
    if (((await by.seeders(group, name)) ?? 0) === 0) return 'nobody is listed'
    throw new Error(`${name} of ${group} is listed with a seeder and does not come: it is ${await view()}`)
  }, patience)
  if (ended !== 'complete') {
    await by.client.operations.cancelDownload(group, name)
    return false
  }
  // One that completed before it was told not to share is withdrawn now.
  await by.client.operations.stopShare(group, name)
  expect(readFileSync(destination).equals(content)).toBe(true)
  return true
}
