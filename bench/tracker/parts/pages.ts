// Measures what a page of a listing costs the tracker among 100,000 groups, files or members, compared with 100.
// Meanwhile each listing changes several times a second, as in real use, so that an order cached for the next page
// has to be kept up to date.

import { join } from 'node:path'
import { pageEntries } from '../../../src/common/limits.ts'
import type { Command } from '../../../src/tracker/state/commands.ts'
import { LoadOn } from '../load-on.ts'
import { percent, say, thousands, verdict } from '../report.ts'
import { ServerProcess } from '../server-process.ts'
import { account, crowd, fileId, filesIn, nameOf, ownedGroups, sizeBytes } from '../states.ts'
import { benchCredentials, TrackerUser } from '../tracker-user.ts'
import { makeIdentity } from '../../../src/common/security/identity.ts'
import { folder } from '../workplace.ts'
import { writeLog } from '../write-log.ts'

const owner = 'bench'
const few = pageEntries
const many = 100_000
const ratioMax = 2
const measuredMs = 1_000
const warmUpMs = 200
const shape = { connections: 4, depth: 2, kind: 'query' } as const
/** Every listing changes twice in each round of changes: 8 times a second. */
const changesPerSecond = 28

/** Each has `few` or `many` entries, give or take two. */
const listings = [
  { method: 'list_groups', params: {}, entry: 'group' },
  { method: 'list_files', params: { group: 'files' }, entry: 'file' },
  { method: 'list_members', params: { group: 'crowd' }, entry: 'user' },
] as const
type Listing = (typeof listings)[number]

export async function benchPages(): Promise<void> {
  say('pages of 100 entries, while they change', 'a CPU s', 'CPU µs', 'x', 'load CPU')
  const small = await Tracker.start(few)
  const large = await Tracker.start(many)
  for (const listing of listings) {
    const base = await small.measure(listing, undefined)
    print(`${listing.method}, ${few} entries`, base)
    const places = [
      ['first', undefined],
      ['middle', many / 2],
      ['last', many - few - 3],
    ] as const
    for (const [place, after] of places) {
      const page = await large.measure(listing, after)
      const ratio = page.cpuMicros / base.cpuMicros
      print(`${listing.method}, ${thousands(many)}, ${place} page`, page, ratio)
      verdict(
        `${listing.method}, ${place} page, times the CPU of a page among ${few}`,
        ratio.toFixed(2),
        String(ratioMax),
        ratio <= ratioMax,
      )
    }
  }
  await small.end()
  await large.end()
}

interface PageCost {
  readonly cpuMicros: number
  readonly load: number
}

function print(what: string, { cpuMicros, load }: PageCost, ratio = 1): void {
  say(what, thousands(1e6 / cpuMicros), cpuMicros.toFixed(0), ratio.toFixed(1), percent(load))
}

class Tracker {
  readonly #server: ServerProcess
  readonly #load: LoadOn
  #isEnding = false
  #changing: Promise<void> = Promise.resolve()

  private constructor(server: ServerProcess) {
    this.#server = server
    this.#load = new LoadOn(server, [owner])
  }

  static async start(entries: number): Promise<Tracker> {
    const dataFolder = join(folder, `pages-${entries}`)
    await writeLog(dataFolder, await state(entries))
    const tracker = new Tracker(await ServerProcess.tracker(['--data-dir', dataFolder]))
    // Twice, so that the code is compiled before the first page that counts.
    for (const listing of [...listings, ...listings]) await tracker.measure(listing, undefined)
    return tracker
  }

  /** The CPU time of the page after entry number `after`, or of the first page. */
  async measure({ method, params, entry }: Listing, after: number | undefined): Promise<PageCost> {
    const place = after === undefined ? params : { ...params, after: nameOf(entry, after) }
    const request = `"method":"${method}","params":${JSON.stringify(place)}`
    this.#isEnding = false
    this.#changing = this.#change()
    await this.#load.run({ ...shape, request, ms: warmUpMs })
    const report = await this.#load.run({ ...shape, request, ms: measuredMs })
    this.#isEnding = true
    await this.#changing
    if (report.refusals > 0) throw new Error(`${method}: ${report.refusals} refusals`)
    return { cpuMicros: (report.cpuSeconds / report.answers) * 1e6, load: report.load }
  }

  async end(): Promise<void> {
    await this.#load.end()
    await this.#server.stop()
  }

  /** Adds an entry to each listing and removes it again, until the measurement ends. */
  async #change(): Promise<void> {
    const logIn = (user: string): Promise<TrackerUser> =>
      TrackerUser.loggedIn(this.#server.port, { user, identity: makeIdentity() })
    const [by, guest] = [await logIn(owner), await logIn('guest')]
    const file = { group: 'files', name: 'file-0' }
    const steps = [
      [by, 'create_group', { group: 'group-0' }],
      [by, 'share_file', { ...file, fileId, sizeBytes }],
      [guest, 'join_group', { group: 'crowd' }],
      [by, 'accept_request', { group: 'crowd', user: 'guest' }],
      [by, 'leave_group', { group: 'group-0' }],
      [by, 'unshare_file', file],
      [guest, 'leave_group', { group: 'crowd' }],
    ] as const
    while (!this.#isEnding) {
      for (const [who, method, params] of steps) {
        await who.ask(method, { id: newId(), ...params })
        await new Promise((resolve) => setTimeout(resolve, 1000 / changesPerSecond))
      }
    }
    by.close()
    guest.close()
  }
}

let changes = 0

function newId(): string {
  return `pages-change-${String(changes++).padStart(8, '0')}`
}

async function state(entries: number): Promise<Iterable<Command>> {
  const credentials = await benchCredentials()
  return (function* commands() {
    // Leaves room for the guest: a group has at most 100,000 members.
    yield* crowd(owner, entries - 2, credentials)
    yield* ownedGroups(entries, credentials)
    yield* filesIn('files', owner, entries)
    yield* account('guest', credentials)
  })()
}
