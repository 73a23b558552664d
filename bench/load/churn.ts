// Clients that leave and come back, and groups and files that come and go with their members. What is made is removed
// again, so that the state of the tracker stays as large as it is.

import { createHash } from 'node:crypto'
import type { LoadClient } from './load-client.ts'

/** What has happened. */
export interface Churned {
  readonly left: number
  /** Groups that were made, joined, shared in, and left by all. */
  readonly groups: number
  /** Those where a step was refused or got no answer, by the step. */
  readonly failed: ReadonlyMap<string, number>
}

/** One in so many clients leaves in a second. */
const clientsPerLeave = 600
/** How long it is away, in milliseconds: at least, and at most. */
const awayMinMs = 1_000
const awayMaxMs = 40_000
/** The share of those that come back with the password. */
const anewShare = 0.5
/** One group is made in a second for so many clients. */
const clientsPerGroup = 1_000
/** How long a group exists, in milliseconds, besides the requests. */
const groupMs = 5_000
const fileName = 'for a moment.jpg'

export class Churn {
  readonly #clients: readonly LoadClient[]
  readonly #random: () => number
  readonly #timers: NodeJS.Timeout[]
  readonly #awayTimers = new Set<NodeJS.Timeout>()
  readonly #away = new Set<LoadClient>()
  readonly #groups = new Set<Promise<void>>()
  readonly #failed = new Map<string, number>()
  #left = 0
  #made = 0

  /** `random`: from 0 to 1, 1 excluded. */
  constructor(clients: readonly LoadClient[], random: () => number) {
    this.#clients = clients
    this.#random = random
    this.#timers = [
      setInterval(() => this.#letOneLeave(), (1000 * clientsPerLeave) / clients.length),
      setInterval(() => this.#makeGroup(), (1000 * clientsPerGroup) / clients.length),
    ]
  }

  /** Lets all come back that are away, and resolves when the last group is gone. */
  async end(): Promise<Churned> {
    for (const timer of this.#timers) clearInterval(timer)
    for (const timer of this.#awayTimers) clearTimeout(timer)
    for (const client of this.#away) this.#return(client)
    await Promise.all(this.#groups)
    return { left: this.#left, groups: this.#made, failed: this.#failed }
  }

  #letOneLeave(): void {
    const client = this.#pick()
    if (client === undefined) return
    this.#left++
    client.leave()
    this.#away.add(client)
    const awayMs = awayMinMs + (awayMaxMs - awayMinMs) * this.#random()
    const timer = setTimeout(() => {
      this.#awayTimers.delete(timer)
      this.#return(client)
    }, awayMs)
    this.#awayTimers.add(timer)
  }

  #return(client: LoadClient): void {
    this.#away.delete(client)
    client.come(this.#random() < anewShare)
  }

  #makeGroup(): void {
    const owner = this.#pick()
    if (owner === undefined) return
    owner.isEngaged = true
    const guest = this.#pick()
    if (guest === undefined) {
      owner.isEngaged = false
      return
    }
    guest.isEngaged = true
    const group = this.#liveThrough(owner, guest, `for-a-moment-${process.pid}-${this.#made++}`).finally(
      () => {
        owner.isEngaged = false
        guest.isEngaged = false
        this.#groups.delete(group)
      },
    )
    this.#groups.add(group)
  }

  /** From its creation to its end. */
  async #liveThrough(owner: LoadClient, guest: LoadClient, group: string): Promise<void> {
    const fileId = createHash('sha256').update(group).digest('hex')
    const name = fileName
    const pause = async (): Promise<true> => {
      await new Promise((resolve) => setTimeout(resolve, groupMs * 2 * this.#random()))
      return true
    }
    const steps: readonly (readonly [string, () => Promise<boolean>])[] = [
      ['create', () => owner.create(group)],
      ['join', () => guest.join(group, owner)],
      ['share', () => owner.share(group, name, fileId)],
      ['find', () => guest.ask('find_file', { group, name })],
      ['share too', () => guest.share(group, name, fileId)],
      ['live', pause],
      ['unshare', () => owner.unshare(group, name, fileId)],
      ['unshare too', () => guest.unshare(group, name, fileId)],
      ['leave', () => owner.leaveGroup(group)],
      ['leave too', () => guest.leaveGroup(group)],
    ]
    for (const [name, step] of steps)
      if (!(await step())) this.#failed.set(name, (this.#failed.get(name) ?? 0) + 1)
  }

  /** One that is there and has nothing to do; undefined when there is none among a few. */
  #pick(): LoadClient | undefined {
    for (let tries = 0; tries < 10; tries++) {
      const client = this.#clients[Math.floor(this.#random() * this.#clients.length)]
      if (client?.isUp === true && !client.isEngaged) return client
    }
    return undefined
  }
}
