// Two connections of which each gets what comes on the other one. Little waits on the way: who sends faster than the other
// end reads, or than it is its turn, is not read from.

import type { Socket } from 'node:net'

/**
 * From so many waiting bytes on, their sender is not read from; what one more read brings comes on top. Enough for a turn,
 * so that a sender who is fast has something for each of its turns.
 */
const waitingBytesMax = 32 * 1024

export interface RelayEnd {
  /** Paused, and half open when it has ended. */
  readonly socket: Socket
  /** What came already. */
  readonly rest: Buffer
}

export interface RelayPairParts {
  /** Milliseconds, from any start. */
  readonly nowMs: () => number
  /** Bytes wait to be forwarded: `forward` may be called. */
  readonly onWaiting: (direction: RelayDirection) => void
  /** Both connections are closed. */
  readonly onClosed: () => void
}

/** One of the two ways of a pair. */
export interface RelayDirection {
  /** The same for both ways. */
  readonly pair: RelayPair
  /** Bytes that wait and may be forwarded now; 0 while the reader is behind. */
  readonly ready: number
  /** Sends at most so many of them on. Returns how many. */
  forward: (bytes: number) => number
}

export class RelayPair {
  readonly #parts: RelayPairParts
  #movedMs: number
  #open = 2

  constructor([one, other]: readonly [RelayEnd, RelayEnd], parts: RelayPairParts) {
    this.#parts = parts
    this.#movedMs = parts.nowMs()
    const flows = [new Flow(this, one, other.socket), new Flow(this, other, one.socket)]
    for (const flow of flows) flow.begin()
  }

  /** When bytes were last sent on, by the clock of the parts. */
  get movedMs(): number {
    return this.#movedMs
  }

  onMoved(): void {
    this.#movedMs = this.#parts.nowMs()
  }

  onWaiting(direction: RelayDirection): void {
    this.#parts.onWaiting(direction)
  }

  onSourceClosed(): void {
    this.#open--
    if (this.#open === 0) this.#parts.onClosed()
  }
}

class Flow implements RelayDirection {
  readonly pair: RelayPair
  readonly #source: Socket
  readonly #sink: Socket
  readonly #waiting: Buffer[] = []
  #waitingBytes = 0
  #hasEnded = false
  #isBehind = false

  constructor(pair: RelayPair, { socket, rest }: RelayEnd, sink: Socket) {
    this.pair = pair
    this.#source = socket
    this.#sink = sink
    if (rest.length > 0) {
      this.#waiting.push(rest)
      this.#waitingBytes = rest.length
    }
  }

  begin(): void {
    this.#hasEnded = this.#source.readableEnded
    this.#source.on('data', (bytes: Buffer) => this.#onData(bytes))
    this.#source.once('end', () => {
      this.#hasEnded = true
      this.#endIfDone()
    })
    this.#source.once('close', () => this.#onClosed())
    this.#sink.on('drain', () => {
      this.#isBehind = false
      this.#goOn()
    })
    this.#sink.once('close', () => {
      if (!this.#sink.writableFinished) this.#source.destroy()
    })
    this.#goOn()
    this.#endIfDone()
  }

  get ready(): number {
    return this.#isBehind || this.#sink.destroyed ? 0 : this.#waitingBytes
  }

  forward(bytes: number): number {
    let left = Math.min(bytes, this.ready)
    const total = left
    while (left > 0) {
      const [first] = this.#waiting
      if (first === undefined) break
      const part = first.subarray(0, left)
      if (part.length === first.length) this.#waiting.shift()
      else this.#waiting[0] = first.subarray(left)
      left -= part.length
      // What the system took at once does not wait.
      if (!this.#sink.write(part) && this.#sink.writableLength > 0) this.#isBehind = true
    }
    this.#waitingBytes -= total
    if (total > 0) this.pair.onMoved()
    this.#goOn()
    this.#endIfDone()
    return total
  }

  #onData(bytes: Buffer): void {
    this.#waiting.push(bytes)
    this.#waitingBytes += bytes.length
    this.#goOn()
  }

  #goOn(): void {
    if (this.#waitingBytes >= waitingBytesMax || this.#isBehind) this.#source.pause()
    else this.#source.resume()
    if (this.ready > 0) this.pair.onWaiting(this)
  }

  #endIfDone(): void {
    if (this.#hasEnded && this.#waitingBytes === 0) this.#sink.end()
  }

  #onClosed(): void {
    // One that was cut cuts the other; what one that ended has said still goes its way.
    if (!this.#hasEnded) this.#sink.destroy()
    this.pair.onSourceClosed()
  }
}
