// Finds runs of 16 bytes of a file in other bytes, at any place of either.

const runBytes = 16
/** Bits of a filter: a run that is not of the file passes one in a hundred times, and both next to never. */
const filterBits = 27

export class RunsOf {
  readonly #content: Buffer
  readonly #first = new Uint32Array(2 ** filterBits / 32)
  readonly #second = new Uint32Array(2 ** filterBits / 32)

  /** A file of a few MiB at most. */
  constructor(content: Buffer) {
    this.#content = content
    for (let at = 0; at + runBytes <= content.length; at++) {
      set(this.#first, mixed(content, at))
      set(this.#second, mixed(content, at + runBytes / 2))
    }
  }

  /** At how many places of these bytes there are 16 that stand in the file. */
  countIn(bytes: Buffer): number {
    let count = 0
    for (let at = 0; at + runBytes <= bytes.length; at++) {
      if (!has(this.#first, mixed(bytes, at)) || !has(this.#second, mixed(bytes, at + runBytes / 2))) continue
      if (this.#content.includes(bytes.subarray(at, at + runBytes))) count++
    }
    return count
  }
}

/** Of the eight bytes from there: a number below the size of a filter. */
function mixed(bytes: Buffer, at: number): number {
  const [low, high] = [bytes.readInt32LE(at), bytes.readInt32LE(at + 4)]
  return (Math.imul(low, 0x9e3779b1) ^ Math.imul(high, 0x85ebca6b)) >>> (32 - filterBits)
}

function set(filter: Uint32Array, bit: number): void {
  filter[bit >>> 5] = (filter[bit >>> 5] ?? 0) | (1 << (bit & 31))
}

function has(filter: Uint32Array, bit: number): boolean {
  return ((filter[bit >>> 5] ?? 0) & (1 << (bit & 31))) !== 0
}
