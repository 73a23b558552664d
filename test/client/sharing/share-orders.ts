// A random order of what two users do with three names and three contents, and the plain model of it. The model
// follows the replies, and knows the rules of the tracker: who shared a name first may replace it.

import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { vi } from 'vitest'
import { expectOk, fetches, type Member, type Sharers } from './two-sharers.ts'

const names = ['x', 'y', 'z'] as const
/** Told apart by their sizes, which is what a listing shows. */
export const contents = [700, 1300, 524_288 + 11].map((size, index) => Buffer.alloc(size, index + 1))

interface Version {
  readonly content: Buffer
  /** By user, in the order of sharing: where their file is. */
  readonly sharers: Map<string, string>
}

export interface Plan {
  readonly sharers: Sharers
  readonly group: string
  readonly pair: readonly [Member, Member]
  readonly looker: Member
  readonly random: () => number
  readonly steps: number
}

export class ShareOrder {
  readonly #plan: Plan
  readonly #model = new Map<string, Version>()
  /** By user and name: what is being downloaded, and whether it is to be shared. */
  readonly #downloads = new Map<string, { content: Buffer; path: string; isShared: boolean }>()
  readonly #loggedIn: Set<Member>
  /** What was done, to be read when a run fails. */
  readonly story: string[] = []
  #paths = 0

  constructor(plan: Plan) {
    this.#plan = plan
    this.#loggedIn = new Set(plan.pair)
    for (const member of plan.pair)
      member.onEvent = (event) => {
        if (event.kind === 'download-complete' && event.group === plan.group)
          this.#onComplete(member, event.name)
        if (event.kind === 'download-failed' && event.group === plan.group)
          this.#downloads.delete(`${member.user} ${event.name}`)
      }
  }

  async run(): Promise<void> {
    for (let step = 0; step < this.#plan.steps; step++) {
      const [ann, ben] = this.#plan.pair
      const [one, other] = this.#plan.random() < 0.5 ? [ann, ben] : [ben, ann]
      const first = this.#step(one, this.#pick(names))
      // Now and then both at once, each with a name of its own.
      const isBoth = this.#plan.random() < 0.2
      await Promise.all([first, isBoth ? this.#step(other, 'only-of-one') : undefined])
    }
    await this.#settle()
    await this.#check()
  }

  #pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.#plan.random() * from.length)] as T
  }

  async #step(member: Member, name: string): Promise<void> {
    const done = this.#pick([
      'share',
      'share',
      'stop',
      'download',
      'cancel',
      'disk',
      'disk',
      'session',
      'trouble',
    ])
    if (done === 'trouble') {
      this.#plan.sharers.isTroubled = this.#plan.random() < 0.4
      this.story.push(`trouble ${this.#plan.sharers.isTroubled}`)
      return
    }
    if (done === 'session') return this.#changeSession(member)
    if (!this.#loggedIn.has(member)) return
    if (done === 'share') await this.#share(member, name)
    else if (done === 'stop') await this.#stop(member, name)
    else if (done === 'download') await this.#download(member, name)
    else if (done === 'disk') this.#touchDisk(member, name)
    else {
      const answer = await member.client.operations.cancelDownload(this.#plan.group, name)
      this.story.push(`${member.user} cancels ${name}: ${answer.ok}`)
      if (answer.ok) this.#downloads.delete(`${member.user} ${name}`)
    }
  }

  async #share(member: Member, name: string): Promise<void> {
    const { group, random } = this.#plan
    const own = name === 'only-of-one' ? `${name}-${member.user}` : name
    const content = this.#pick(contents)
    // In one of two folders: a name may be replaced by a file of another folder.
    const path = member.path('files', own)
    const elsewhere = `${member.path(random() < 0.5 ? 'files' : 'data')}/${own}`
    const file = random() < 0.5 ? path : elsewhere
    writeFileSync(file, content)
    const answer = await member.client.operations.uploadFile(file, group)
    this.story.push(
      `${member.user} shares ${own} of ${content.length}: ${answer.ok || answer.refusal.sentence}`,
    )
    if (answer.ok) this.#put(member.user, own, content, file)
  }

  async #stop(member: Member, name: string): Promise<void> {
    const own = name === 'only-of-one' ? `${name}-${member.user}` : name
    const download = this.#downloads.get(`${member.user} ${own}`)
    const answer = await member.client.operations.stopShare(this.#plan.group, own)
    this.story.push(`${member.user} stops ${own}: ${answer.ok || answer.refusal.sentence}`)
    if (!answer.ok) return
    if (download !== undefined) download.isShared = false
    this.#withdraw(member.user, own)
  }

  async #download(member: Member, name: string): Promise<void> {
    const { group, random } = this.#plan
    const version = this.#model.get(name)
    // Onto a file that is shared under another name, or to a new place.
    const other = this.#model.get(this.#pick(names))?.sharers.get(member.user)
    const isOver = other !== undefined && random() < 0.3
    const path = isOver ? other : member.path('files', `download-${this.#paths++}`)
    const answer = await member.client.operations.downloadFile(group, name, path, { overwrite: isOver })
    this.story.push(`${member.user} downloads ${name}: ${answer.ok || answer.refusal.sentence}`)
    if (!answer.ok || version === undefined) return
    const key = `${member.user} ${name}`
    const isComplete = (await member.client.operations.showDownloads()).some(
      (each) => each.group === group && each.name === name && each.state === 'complete',
    )
    this.#downloads.set(key, { content: version.content, path, isShared: true })
    // A small one may be complete before the reply.
    if (isComplete) this.#onComplete(member, name)
  }

  #onComplete(member: Member, name: string): void {
    const key = `${member.user} ${name}`
    const download = this.#downloads.get(key)
    this.#downloads.delete(key)
    this.story.push(`${member.user} has ${name}: ${download?.isShared}`)
    if (download?.isShared === true) this.#put(member.user, name, download.content, download.path)
  }

  #touchDisk(member: Member, name: string): void {
    const path = this.#model.get(name)?.sharers.get(member.user)
    if (path === undefined || !existsSync(path)) return
    const how = this.#pick(['remove', 'overwrite', 'replace'])
    this.story.push(`${member.user} does ${how} to ${name}`)
    if (how === 'remove') rmSync(path)
    else if (how === 'overwrite') writeFileSync(path, this.#pick(contents))
    else {
      writeFileSync(`${path}.new`, this.#pick(contents))
      renameSync(`${path}.new`, path)
    }
  }

  async #changeSession(member: Member): Promise<void> {
    const isIn = this.#loggedIn.delete(member)
    this.story.push(`${member.user} logs ${isIn ? 'out' : 'in'}`)
    if (isIn) {
      expectOk(await member.client.operations.logout())
      return
    }
    await member.login()
    this.#loggedIn.add(member)
  }

  /** The tracker is well again, everybody is here, and no download is under way. */
  async #settle(): Promise<void> {
    const { sharers, pair } = this.#plan
    sharers.isTroubled = false
    for (const member of pair) if (!this.#loggedIn.has(member)) await this.#changeSession(member)
    for (const { client } of pair)
      for (const { group, name, state } of await client.operations.showDownloads()) {
        if (state === 'complete' || group !== this.#plan.group) continue
        await client.operations.cancelDownload(group, name)
      }
    await Promise.all(pair.map(({ client }) => client.operations.downloadsSettled()))
  }

  async #check(): Promise<void> {
    const { pair, looker, group } = this.#plan
    const shared = [...this.#model].filter(([, version]) => version.sharers.size > 0)
    // Every share of the model is listed, and nothing else.
    const wanted = shared
      .map(([name, { content }]) => `${name} ${content.length}`)
      .sort()
      .join(', ')
    await finds(wanted, async () => listed(await looker.list(group)))
    // Who is called a seeder is one, also when nobody is left to do its work.
    await this.#fetchAll()
    for (const alone of pair) {
      for (const other of pair) if (other !== alone) await this.#changeSession(other)
      await this.#fetchAll()
      for (const other of pair) if (other !== alone) await this.#changeSession(other)
      // Back after a login, as far as its files are what they were.
      await this.#changeSession(alone)
      await this.#changeSession(alone)
      for (const other of pair) if (other !== alone) await this.#changeSession(other)
      for (const [name, version] of shared) {
        const path = version.sharers.get(alone.user)
        const isThere = path !== undefined && existsSync(path) && readFileSync(path).equals(version.content)
        await finds(`${name} of ${alone.user}: ${isThere ? 1 : 0}`, async () => {
          return `${name} of ${alone.user}: ${await looker.seeders(group, name)}`
        })
      }
      await this.#fetchAll()
      for (const other of pair) if (other !== alone) await this.#changeSession(other)
    }
  }

  async #fetchAll(): Promise<void> {
    const { looker, group } = this.#plan
    for (const { name, seeders } of await looker.list(group)) {
      const content = this.#model.get(name)?.content
      if (seeders > 0 && content !== undefined) await fetches(looker, group, name, content)
    }
  }

  #put(user: string, name: string, content: Buffer, path: string): void {
    const version = this.#model.get(name)
    const isOther = version !== undefined && version.sharers.size > 0 && version.content !== content
    if (version === undefined || version.sharers.size === 0 || isOther)
      this.#model.set(name, { content, sharers: new Map([[user, path]]) })
    else version.sharers.set(user, path)
  }

  #withdraw(user: string, name: string): void {
    this.#model.get(name)?.sharers.delete(user)
  }
}

function listed(entries: readonly { name: string; sizeBytes: number }[]): string {
  const each = entries.map(({ name, sizeBytes }) => `${name} ${sizeBytes}`)
  return each.sort().join(', ')
}

/** Resolves when it looks like this. */
async function finds(wanted: string, look: () => Promise<string>): Promise<void> {
  const isSo = async (): Promise<void> => {
    const found = await look()
    if (found !== wanted) throw new Error(`there is "${found}", and should be "${wanted}"`)
  }
  await vi.waitFor(isSo, { timeout: 12_000, interval: 15 })
}
