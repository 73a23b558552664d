// A client of the lab: the real program, spoken to in JSON.

import { setTimeout as pause } from 'node:timers/promises'
import { Program } from '../../src/demo/program.ts'

/** A reply or an event, as docs/scripting.md has them. */
export type Said = Readonly<Record<string, unknown>>

interface Event {
  readonly said: Said
  /** As `performance.now()` has it. */
  readonly atMs: number
}

export class Member {
  readonly name: string
  readonly program: Program
  readonly #asked: { onReply: (said: Said) => void; onEnd: (error: Error) => void }[] = []
  readonly #events: Event[] = []
  #failure: Error | undefined

  /** `through` stands before the command, to run it on another machine. */
  constructor(name: string, words: readonly string[], through: readonly string[]) {
    this.name = name
    this.program = new Program(name, 'client', ['--json', ...words], {}, through)
    void this.#listen()
  }

  /** Types a command; resolves to its reply, also to a refusal. Rejects when the client ends before. */
  ask(command: string): Promise<Said> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    return new Promise((resolve, reject) => {
      this.#asked.push({ onReply: resolve, onEnd: reject })
      this.program.process.stdin?.write(`${command}\n`)
    })
  }

  /** Types commands one after the other. Rejects at the first that is refused. */
  async does(...commands: readonly string[]): Promise<void> {
    for (const command of commands) {
      const { ok, error } = await this.ask(command)
      if (ok !== true) throw new Error(`${this.name}: "${command}": ${String(error)}`)
    }
  }

  /** The first event with these fields that came after this time of `performance.now()`, if there was one. */
  event(fields: Said, sinceMs: number): Event | undefined {
    return this.#events.find(
      ({ said, atMs }) =>
        atMs >= sinceMs && Object.entries(fields).every(([key, value]) => said[key] === value),
    )
  }

  async #listen(): Promise<void> {
    try {
      for (;;) {
        const said = JSON.parse(await this.program.next(() => true)) as Said
        if (said['type'] === 'reply') this.#asked.shift()?.onReply(said)
        else this.#events.push({ said, atMs: performance.now() })
      }
    } catch (error) {
      this.#failure = error as Error
      for (const { onEnd } of this.#asked.splice(0)) onEnd(this.#failure)
    }
  }
}

export interface Fetched {
  /** Whether all of it came in time. */
  readonly isWhole: boolean
  /** In pieces that are whole. */
  readonly bytes: number
  readonly seconds: number
  /** Until there was a first piece; undefined without one. */
  readonly firstSeconds?: number | undefined
  /** How the two were connected, `?` where the client does not say. */
  readonly way: string
}

export interface Patience {
  /** For the first piece. */
  readonly firstSeconds: number
  /** For all. */
  readonly seconds: number
}

export interface FetchOptions extends Patience {
  /** Told now and then how many bytes are there, in pieces that are whole, and when by `performance.now()`. */
  readonly onProgress?: (bytes: number, atMs: number) => void
}

const askedEveryMs = 100

/**
 * Fetches a file of the group to `path`, for as long as the patience lasts; then it is given up. Rejects when the client
 * refuses or ends.
 */
export async function fetchFile(
  to: Member,
  group: string,
  name: string,
  path: string,
  { firstSeconds, seconds, onProgress }: FetchOptions,
): Promise<Fetched> {
  const begunMs = performance.now()
  const secondsUntil = (atMs: number): number => (atMs - begunMs) / 1000
  let [way, bytes] = ['?', 0]
  let cameAfter: number | undefined
  await to.does(`download_file ${group} ${name} ${path}`)
  for (;;) {
    await pause(askedEveryMs)
    const said = await to.ask('show_downloads')
    const nowMs = performance.now()
    const row = rowOf(said, name)
    const found = bytesDone(row)
    bytes = Math.max(bytes, found.bytes)
    way = wayIn(row) ?? way
    if (bytes > 0) cameAfter ??= secondsUntil(nowMs)
    onProgress?.(bytes, nowMs)
    const complete = to.event({ event: 'download-complete', name }, begunMs)
    const came = { firstSeconds: cameAfter, way }
    if (complete !== undefined)
      return { isWhole: true, bytes: found.sizeBytes, seconds: secondsUntil(complete.atMs), ...came }
    const hasFailed = to.event({ event: 'download-failed', name }, begunMs) !== undefined
    const patience = bytes === 0 ? Math.min(firstSeconds, seconds) : seconds
    if (!hasFailed && secondsUntil(nowMs) < patience) continue
    await to.ask(`cancel_download ${group} ${name}`)
    return { isWhole: false, bytes, seconds: secondsUntil(nowMs), ...came }
  }
}

interface Row {
  readonly name: string
  readonly sizeBytes: number
  readonly pieceCount: number
  readonly piecesDone: number
}

function rowOf({ downloads }: Said, name: string): Row | undefined {
  return (downloads as readonly Row[]).find((each) => each.name === name)
}

function bytesDone(row: Row | undefined): { bytes: number; sizeBytes: number } {
  if (row === undefined) return { bytes: 0, sizeBytes: 0 }
  const { sizeBytes, pieceCount, piecesDone } = row
  return { bytes: Math.floor((sizeBytes * piecesDone) / pieceCount), sizeBytes }
}

/** The way to a peer, wherever in a reply one stands. */
export function wayIn(said: unknown): string | undefined {
  if (typeof said !== 'object' || said === null) return undefined
  if ('way' in said && typeof said.way === 'string') return said.way
  for (const value of Object.values(said)) {
    const way = wayIn(value)
    if (way !== undefined) return way
  }
  return undefined
}
