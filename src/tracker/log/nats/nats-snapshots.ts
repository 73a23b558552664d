// Snapshots beside the log, in a stream of their own. A snapshot is cut into parts, which are published one
// by one; the last message, "done", says what they must come to. So one that was not finished, because its
// tracker was killed, is never seen: it has no such message.

import { createHash, randomBytes } from 'node:crypto'
import { Failure } from '../../../common/failure.ts'
import { natsPartBytes, natsPartsAtOnce, natsSnapshotTriesMax } from '../../limits.ts'
import type { LogSnapshot } from '../command-log.ts'
import { formatNatsAddress } from './nats-address.ts'
import type { NatsLink } from './nats-link.ts'
import { openStream } from './nats-stream.ts'

/** A snapshot, and the message of the log that it reaches to. */
export interface StreamSnapshot extends LogSnapshot {
  readonly sequence: number
}

/** The text of "done". */
interface Manifest {
  readonly position: number
  readonly sequence: number
  readonly parts: number
  readonly sha256: string
}

export class NatsSnapshots {
  readonly #link: NatsLink
  readonly #stream: string
  /** Its subjects: `<prefix>.<position>.<writer>.<part or "done">`. */
  readonly #prefix: string

  private constructor(link: NatsLink, stream: string, prefix: string) {
    this.#link = link
    this.#stream = stream
    this.#prefix = prefix
  }

  static async open(link: NatsLink): Promise<NatsSnapshots> {
    const { stream, replicas } = link.address
    const [name, prefix] = [`${stream}_snapshots`, `${stream}.snapshot`]
    await openStream(link, { name, subjects: [`${prefix}.>`], num_replicas: replicas }, 'snapshots')
    return new NatsSnapshots(link, name, prefix)
  }

  /** Position of the newest snapshot that is whole; 0 if there is none. */
  async newestPosition(): Promise<number> {
    const newest = (await this.#finished()).at(-1)
    return newest === undefined ? 0 : positionIn(newest)
  }

  /** Rejects with a `data` failure for one that is damaged. */
  async newest(): Promise<StreamSnapshot | undefined> {
    for (let tries = 0; tries < natsSnapshotTriesMax; tries++) {
      const subject = (await this.#finished()).at(-1)
      if (subject === undefined) return undefined
      const snapshot = await this.#read(subject)
      if (snapshot !== undefined) return snapshot
      // Removed while it was read: then there is a newer one.
    }
    throw this.#damaged('parts of it are missing')
  }

  /** Resolves when a majority of the replicas has all of it. */
  async write({ position, sequence, text }: StreamSnapshot): Promise<void> {
    const data = Buffer.from(text)
    const base = `${this.#prefix}.${position}.${randomBytes(6).toString('hex')}`
    const parts = Math.ceil(data.length / natsPartBytes)
    for (let first = 0; first < parts; first += natsPartsAtOnce) {
      const count = Math.min(natsPartsAtOnce, parts - first)
      const indexes = Array.from({ length: count }, (_, index) => first + index)
      await Promise.all(indexes.map((part) => this.#publish(`${base}.${part}`, partOf(data, part))))
    }
    const manifest: Manifest = { position, sequence, parts, sha256: sha256(data) }
    await this.#publish(`${base}.done`, Buffer.from(JSON.stringify(manifest)))
  }

  /** Removes snapshots before this position, those that were never finished among them. */
  async removeBefore(position: number): Promise<void> {
    const bases = new Set((await this.#subjects('>')).map((subject) => subject.replace(/\.[^.]+$/, '')))
    for (const base of bases) {
      if (positionIn(base) >= position) continue
      await this.#link.manager.streams.purge(this.#stream, { filter: `${base}.>` })
    }
  }

  async #read(done: string): Promise<StreamSnapshot | undefined> {
    const manifestText = await this.#last(done)
    if (manifestText === undefined) return undefined
    const manifest = JSON.parse(Buffer.from(manifestText).toString()) as Manifest
    const base = done.replace(/\.done$/, '')
    const parts: Uint8Array[] = []
    for (let part = 0; part < manifest.parts; part++) {
      const data = await this.#last(`${base}.${part}`)
      if (data === undefined) return undefined
      parts.push(data)
    }
    const data = Buffer.concat(parts)
    if (sha256(data) !== manifest.sha256) throw this.#damaged('it does not match its hash')
    return { position: manifest.position, sequence: manifest.sequence, text: data.toString() }
  }

  /** Subjects of "done" of every whole snapshot, the newest last. */
  async #finished(): Promise<string[]> {
    const done = await this.#subjects('*.*.done')
    return done.toSorted((one, other) => positionIn(one) - positionIn(other))
  }

  async #subjects(filter: string): Promise<string[]> {
    const options = { subjects_filter: `${this.#prefix}.${filter}` }
    const info = await this.#link.manager.streams.info(this.#stream, options)
    return Object.keys(info.state.subjects ?? {})
  }

  async #last(subject: string): Promise<Uint8Array | undefined> {
    const message = await this.#link.manager.streams.getMessage(this.#stream, { last_by_subj: subject })
    return message?.data
  }

  async #publish(subject: string, data: Uint8Array): Promise<void> {
    // The subject is new with each snapshot, so it also tells a second try from the first.
    await this.#link.publisher.publish(subject, data, { msgID: subject, retries: 3 })
  }

  #damaged(why: string): Failure {
    return new Failure(
      'data',
      `the snapshot in ${formatNatsAddress(this.#link.address)} is damaged (${why}); restore the streams from a backup`,
    )
  }
}

function positionIn(subject: string): number {
  return Number(subject.split('.')[2])
}

function partOf(data: Buffer, part: number): Buffer {
  return data.subarray(part * natsPartBytes, (part + 1) * natsPartBytes)
}

function sha256(data: Uint8Array): string {
  return createHash('sha256').update(data).digest('hex')
}
