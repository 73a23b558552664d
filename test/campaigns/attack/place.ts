// A tracker and Ann's client, which shares files, all encrypted; the accounts of those who attack; and Ben, an honest
// user who comes again and again and does what users do, while somebody takes the time.

import { rmSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { peakMiB } from '../../../bench/arena.ts'
import { loadIdentity } from '../../../src/common/security/identity.ts'
import { clientOf, listOf, startTracker, type StartedTracker } from '../../integration/listened-world.ts'
import type { Program } from '../../integration/programs.ts'
import { contentOf, isSame, MiB, World } from '../../integration/world.ts'
import { fetchAs } from '../../web/guests/guest.ts'
import { TestClient } from '../../tracker/support/test-client.ts'
import { honestPassword, hostilePassword, type Scene, type SharedFile } from './battle.ts'

const filmMiB = 24
/** What Ann sends in a second: so little that the processor, which attackers share, does not bound it. */
const uploadLimit = '24M'
/** What the honest guest fetches. */
const leafletMiB = 8
/** Changes of groups, two each. */
const changes = 120
/** Members of the film's group, one of each may lie as a peer. */
const members = ['mallory', 'marvin', 'moriarty']
const strangers = ['otto', 'olga']

/** The honest guest comes again after so long, and gives up at last. */
const guestPauseMs = 100
const guestPatienceMs = 30_000

/** How long the parts of a visit took, in milliseconds. */
export interface Visit {
  /** Starting the client and logging in. */
  readonly comes: number
  /** Changes at the tracker, one after the other. */
  readonly asks: number
  /** Fetching a file from Ann. */
  readonly fetches: number
  /** A guest, who fetches a file from Ann by a link. */
  readonly guest: number
}

export class Place {
  readonly #world = new World()
  #tracker!: StartedTracker
  #ann!: Program
  #list = ''
  #scene!: Scene
  /** That of the honest guest. */
  #link = ''
  #visits = 0

  get scene(): Scene {
    return this.#scene
  }

  async start(): Promise<void> {
    const world = this.#world
    this.#tracker = await startTracker(world)
    this.#list = listOf(world, this.#tracker.port, this.#tracker.fingerprint)
    this.#ann = clientOf(world, 'ann', this.#list, [
      ...['--tls', '--upload-limit', uploadLimit],
      ...['--guests', '127.0.0.1:0'],
    ])
    const ben = clientOf(world, 'ben', this.#list)
    await this.#ann.does(`create_user ann "${honestPassword}"`, `login ann "${honestPassword}"`)
    await ben.does(`create_user ben "${honestPassword}"`, `login ben "${honestPassword}"`)
    await ben.quit()
    await this.#ann.does('create_group friends', 'create_group private')
    for (const user of strangers) (await this.#enrol(user)).caller.close()
    await this.#join('friends', 'ben', honestPassword)
    for (const user of members) {
      await this.#enrol(user)
      await this.#join('friends', user, hostilePassword)
    }
    const film = await this.#share('friends', 'film.bin', filmMiB)
    const diary = await this.#share('private', 'diary.bin', 1)
    const loose = await this.#shareInLooseGroup()
    const leaflet = await this.#share('friends', 'leaflet.bin', leafletMiB)
    this.#link = `${await this.#linkTo(leaflet)}/${leaflet.name}`
    const revoked = await this.#linkTo(film)
    await this.#ann.does('revoke_link 2')
    this.#scene = {
      tracker: this.#tracker,
      seederPort: await this.#seederPort(film),
      film,
      diary,
      loose,
      guests: { given: await this.#linkTo(film), revoked },
      filmPath: world.path('film.bin'),
      folder: world.folder,
    }
  }

  close(): Promise<void> {
    return this.#world.close()
  }

  /** Ben comes, does a few things and goes; rejects when he cannot, or gets another file than Ann's. */
  async visit(): Promise<Visit> {
    const [world, { film }, number] = [this.#world, this.#scene, this.#visits++]
    const startedMs = performance.now()
    const ben = clientOf(world, 'ben', this.#list)
    await ben.does(`login ben "${honestPassword}"`)
    const cameMs = performance.now()
    for (let count = 0; count < changes / 2; count++)
      await ben.does(`create_group visit-${number}-${count}`, `leave_group visit-${number}-${count}`)
    const askedMs = performance.now()
    const copy = world.path(`copy-${number}`)
    await ben.does(`download_file ${film.group} ${film.name} ${copy}`)
    await ben.until(`[C] [${film.group}] ${film.name}`)
    const fetchedMs = performance.now()
    if (!isSame(copy, this.#scene.filmPath)) throw new Error('Ben has got another file than that of Ann')
    await ben.does(`stop_share ${film.group} ${film.name}`)
    await ben.quit()
    rmSync(copy)
    const leftMs = performance.now()
    await this.#guestVisits()
    return {
      ...{ comes: cameMs - startedMs, asks: askedMs - cameMs, fetches: fetchedMs - askedMs },
      guest: performance.now() - leftMs,
    }
  }

  /** As people do: where much is being fetched, or the connection breaks, they come again. */
  async #guestVisits(): Promise<void> {
    const untilMs = performance.now() + guestPatienceMs
    for (;;) {
      const told = await fetchAs({ url: this.#link }).catch((error: unknown) => String(error))
      if (typeof told !== 'string' && told.status === 200) {
        if (told.body.equals(contentOf('leaflet.bin', leafletMiB * MiB))) return
        throw new Error('the guest has got another file than that of Ann')
      }
      const answer = typeof told === 'string' ? told : `${told.status} ${told.text}`
      if (performance.now() > untilMs) throw new Error(`the guest has got nothing: ${answer}`)
      await pause(guestPauseMs)
    }
  }

  async #linkTo({ group, name }: SharedFile): Promise<string> {
    const [url = ''] = await this.#ann.ask(`share_link ${group} ${name}`)
    if (!URL.canParse(url)) throw new Error(`Ann has made no link: ${url}`)
    return url
  }

  /** What has happened to the programs that must not, as sentences. */
  damages(): string[] {
    return this.#programs()
      .filter(([, { ending, stderr }]) => ending !== undefined || /Error|at file/.test(stderr))
      .map(([name, { stderr }]) => `the ${name} has ended or complains: ${stderr.slice(-500)}`)
  }

  /** Types commands at the tracker. */
  operate(commands: readonly string[] = []): void {
    this.#tracker.program.write(...commands)
  }

  /** The most memory that the programs have had, for people. */
  memory(): [what: string, figure: string][] {
    return this.#programs().map(([name, program]) => [
      `memory of the ${name}, at most`,
      `${peakMiB(program).toFixed(0)} MiB`,
    ])
  }

  #programs(): [name: string, program: Program][] {
    return [
      ['tracker', this.#tracker.program],
      ['client of Ann', this.#ann],
    ]
  }

  /** Registers a hostile user, and gives it back as it is connected. */
  async #enrol(user: string): Promise<TestClient> {
    const identity = loadIdentity(this.#world.path(user))
    const client = await TestClient.open(this.#address, { identity, isSecure: true })
    await client.hello()
    must(await client.register(user, hostilePassword))
    return client
  }

  get #address(): { host: string; port: number } {
    return { host: '127.0.0.1', port: this.#tracker.port }
  }

  async #join(group: string, user: string, password: string): Promise<void> {
    const identity = loadIdentity(this.#world.path(user))
    const client = await TestClient.open(this.#address, { identity, isSecure: true })
    await client.hello()
    must(await client.login(user, password))
    must(await client.change('join_group', { group }))
    client.caller.close()
    await this.#ann.does(`accept_request ${group} ${user}`)
  }

  async #share(group: string, name: string, sizeMiB: number): Promise<SharedFile> {
    const path = this.#world.makeFile(name, sizeMiB * MiB)
    const [reply = ''] = await this.#ann.does(`upload_file ${path} ${group}`)
    const fileId = await this.#fileId(group, name)
    if (fileId === '') throw new Error(`Ann does not share ${name}: ${reply}`)
    return { group, name, fileId, sizeBytes: sizeMiB * MiB }
  }

  /** Only a member learns it: Ann's other client, say. */
  async #fileId(group: string, name: string): Promise<string> {
    const client = await this.#otherClientOfAnn()
    const found = must(await client.request('find_file', { group, name }))
    client.caller.close()
    return found.fileId
  }

  async #otherClientOfAnn(): Promise<TestClient> {
    const client = await TestClient.open(this.#address, { isSecure: true })
    await client.hello()
    must(await client.login('ann', honestPassword))
    return client
  }

  async #seederPort({ group, name }: SharedFile): Promise<number> {
    const client = await this.#otherClientOfAnn()
    const { peers } = must(await client.request('find_file', { group, name }))
    client.caller.close()
    return peers[0]?.port ?? 0
  }

  async #shareInLooseGroup(): Promise<SharedFile> {
    const olga = await TestClient.open(this.#address, {
      identity: loadIdentity(this.#world.path('olga')),
      isSecure: true,
    })
    await olga.hello()
    must(await olga.login('olga', hostilePassword))
    must(await olga.change('create_group', { group: 'loose' }))
    const since = this.#ann.mark()
    await this.#ann.does('join_group loose')
    must(await olga.change('accept_request', { group: 'loose', user: 'ann' }))
    await this.#ann.until('you are now a member of loose', since)
    olga.caller.close()
    return this.#share('loose', 'long.bin', filmMiB)
  }
}

interface Refused {
  readonly ok: false
  readonly refusal: { readonly sentence: string }
}

/** The value of an answer; throws the refusal. */
function must<T>(answer: { readonly ok: true; readonly value: T } | Refused): T {
  if (answer.ok) return answer.value
  throw new Error(answer.refusal.sentence)
}
