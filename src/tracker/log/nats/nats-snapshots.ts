// Keeps snapshots in a stream beside the log, each in parts. Its last message, "done", holds their count and hash, so
// an unfinished snapshot is never seen. One in sections holds what changed since an earlier one, down to one that
// holds all. When the changes are as long as that, they are merged into a new one from what is stored, part by part,
// so that nobody waits. The one before stays until the next merger, in case somebody has just built on it.

import { createHash, randomBytes } from 'node:crypto'
import { Failure } from '../../../common/failure.ts'
import { natsMergeMinBytes, natsPartBytes, natsPartsAtOnce, natsSnapshotTriesMax } from '../../limits.ts'
import type { Kept, LogSnapshot, SnapshotToKeep } from '../command-log.ts'
import { formatNatsAddress } from './nats-address.ts'
import type { NatsLink } from './nats-link.ts'
import { openStream } from './nats-stream.ts'

/** A snapshot, and the message of the log that it reaches to. */
export interface StreamSnapshot {
  readonly sequence: number
  readonly snapshot: LogSnapshot
}

/** The text of "done". */
interface Manifest {
  readonly position: number
  readonly sequence: number
  readonly parts: number
  readonly sha256: string
  /** For sections: the position of the snapshot that they change; 0 when they are all there are. */
  readonly after?: number
  readonly bytes?: number
}

interface Stored extends Manifest {
  /** Subject of its parts, without their number. */
  readonly base: string
}

type Line = readonly [key: string, text: string | null]

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

  async kept(): Promise<Kept> {
    const newest = (await this.#newestChain()).at(-1)
    const position = newest?.position ?? 0
    return { position, ofSections: newest?.after === undefined ? 0 : position }
  }

  /** Rejects with a `data` failure when the snapshot is damaged. */
  async newest(): Promise<StreamSnapshot | undefined> {
    for (let tries = 0; tries < natsSnapshotTriesMax; tries++) {
      const chain = await this.#newestChain()
      const last = chain.at(-1)
      if (last === undefined) return undefined
      const { position, sequence } = last
      if (last.after === undefined) {
        const text = await this.#read(last)
        if (text !== undefined) return { sequence, snapshot: { position, text: text.toString() } }
        continue
      }
      const merged = await this.#merged(chain)
      // Undefined when part of it was removed during the read: then there is a newer one.
      if (merged !== undefined) {
        const sections = [...merged].sort(([one], [other]) => (one < other ? -1 : 1))
        return { sequence, snapshot: { position, sections } }
      }
    }
    throw this.#damaged('parts of it are missing')
  }

  /**
   * Resolves when a majority of the replicas has all of it, to the message from which on the log is still needed: of
   * what changes a snapshot each part is needed, so the log stays until the next one that holds all. `after`: the
   * position of the snapshot that its sections change.
   */
  async write(snapshot: SnapshotToKeep, sequence: number, after: number): Promise<number> {
    const { position } = snapshot
    if ('text' in snapshot) {
      await this.#publishAll({ position, sequence }, [Buffer.from(snapshot.text)])
      await this.#removeBefore(position)
      return sequence
    }
    const lines = Array.from(snapshot.changed, ([key, text]) => encodeLine(key, text))
    await this.#publishAll({ position, sequence, after }, lines)
    const chain = await this.#newestChain()
    const [whole] = chain
    if (whole === undefined || (chain.at(-1)?.position ?? 0) < position)
      throw new Error('what was written cannot be read back')
    await this.#mergeWhenLong(chain)
    return whole.sequence
  }

  /** Merges the stored changes once they are as long as the snapshot that they change. */
  async #mergeWhenLong(chain: readonly Stored[]): Promise<void> {
    const [whole, ...changes] = chain
    const last = chain.at(-1)
    if (whole === undefined || last === undefined) return
    const bytes = changes.reduce((sum, each) => sum + (each.bytes ?? 0), 0)
    if (bytes < Math.max(whole.bytes ?? 0, natsMergeMinBytes)) return
    const merged = await this.#merged(chain)
    if (merged === undefined) return
    const { position, sequence } = last
    await this.#publishAll({ position, sequence, after: 0 }, linesOf(merged))
    await this.#removeBefore(whole.position)
  }

  /** The sections of a chain, the whole snapshot first; undefined when part of it is gone. */
  async #merged(chain: readonly Stored[]): Promise<Map<string, string> | undefined> {
    const sections = new Map<string, string>()
    for (const stored of chain) {
      const data = await this.#read(stored)
      if (data === undefined) return undefined
      let taken = 0
      for (let at = 0; at < data.length;) {
        const end = data.indexOf(0x0a, at)
        const [key, text] = JSON.parse(data.toString('utf8', at, end)) as Line
        if (text === null) sections.delete(key)
        else sections.set(key, text)
        taken += end - at
        at = end + 1
        // A merger may be long, and clients wait for this loop too.
        if (taken < natsPartBytes) continue
        taken = 0
        await new Promise((resolve) => setImmediate(resolve))
      }
    }
    return sections
  }

  /**
   * The newest snapshot and those that it builds on, the one that holds all first. Skips one that builds on a missing
   * one.
   */
  async #newestChain(): Promise<Stored[]> {
    const stored = await this.#finished()
    for (const last of stored.toReversed()) {
      const chain = [last]
      for (let first = last; first.after !== undefined && first.after > 0;) {
        const before = stored.findLast(
          ({ position, after }) => position === first.after && after !== undefined,
        )
        if (before === undefined) break
        chain.unshift(before)
        first = before
      }
      const [whole] = chain
      if (whole?.after === undefined || whole.after === 0) return chain
    }
    return []
  }

  /** Every finished snapshot, oldest first; of one position, those that hold all come last. */
  async #finished(): Promise<Stored[]> {
    const subjects = await this.#subjects('*.*.done')
    const stored = await Promise.all(subjects.map((subject) => this.#manifest(subject)))
    return stored
      .filter((each) => each !== undefined)
      .sort((one, other) => one.position - other.position || (other.after ?? 0) - (one.after ?? 0))
  }

  async #manifest(done: string): Promise<Stored | undefined> {
    const text = await this.#last(done)
    if (text === undefined) return undefined
    return { ...(JSON.parse(Buffer.from(text).toString()) as Manifest), base: done.replace(/\.done$/, '') }
  }

  async #read({ base, parts, sha256 }: Stored): Promise<Buffer | undefined> {
    const data: Uint8Array[] = []
    const hash = createHash('sha256')
    for (let part = 0; part < parts; part++) {
      const bytes = await this.#last(`${base}.${part}`)
      if (bytes === undefined) return undefined
      hash.update(bytes)
      data.push(bytes)
    }
    if (hash.digest('hex') !== sha256) throw this.#damaged('it does not match its hash')
    return Buffer.concat(data)
  }

  async #publishAll(
    fields: Pick<Manifest, 'position' | 'sequence' | 'after'>,
    pieces: Iterable<Buffer>,
  ): Promise<void> {
    const base = `${this.#prefix}.${fields.position}.${randomBytes(6).toString('hex')}`
    const hash = createHash('sha256')
    let [parts, bytes] = [0, 0]
    let waiting: Promise<void>[] = []
    for (const part of partsOf(pieces)) {
      hash.update(part)
      bytes += part.length
      waiting.push(this.#publish(`${base}.${parts++}`, part))
      if (waiting.length < natsPartsAtOnce) continue
      await Promise.all(waiting)
      waiting = []
    }
    await Promise.all(waiting)
    const manifest: Manifest = { ...fields, parts, bytes, sha256: hash.digest('hex') }
    await this.#publish(`${base}.done`, Buffer.from(JSON.stringify(manifest)))
  }

  /** Removes snapshots before this position, unfinished ones included. */
  async #removeBefore(position: number): Promise<void> {
    const bases = new Set((await this.#subjects('>')).map((subject) => subject.replace(/\.[^.]+$/, '')))
    for (const base of bases) {
      if (positionIn(base) >= position) continue
      await this.#link.manager.streams.purge(this.#stream, { filter: `${base}.>` })
    }
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
    // The subject is unique to this snapshot, so as a message id it makes a second try harmless.
    await this.#link.publisher.publish(subject, data, { msgID: subject, retries: 3 })
  }

  #damaged(why: string): Failure {
    return new Failure(
      'data',
      `the snapshot in ${formatNatsAddress(this.#link.address)} is damaged (${why}); restore the streams from a backup`,
    )
  }
}

function encodeLine(key: string, text: string | undefined): Buffer {
  return Buffer.from(`${JSON.stringify([key, text ?? null])}\n`)
}

function* linesOf(sections: ReadonlyMap<string, string>): Generator<Buffer> {
  for (const [key, text] of sections) yield encodeLine(key, text)
}

/** The same bytes in parts that fit into a message; at least one. */
function* partsOf(pieces: Iterable<Buffer>): Generator<Buffer> {
  let [kept, bytes]: [Buffer[], number] = [[], 0]
  for (const piece of pieces) {
    kept.push(piece)
    bytes += piece.length
    if (bytes < natsPartBytes) continue
    const all = Buffer.concat(kept)
    let at = 0
    for (; all.length - at >= natsPartBytes; at += natsPartBytes) yield all.subarray(at, at + natsPartBytes)
    kept = [all.subarray(at)]
    bytes = all.length - at
  }
  yield Buffer.concat(kept)
}

function positionIn(subject: string): number {
  return Number(subject.split('.')[2])
}
