// Unsigned whole numbers as LEB128, in their shortest form, up to 2^53; signed ones as zigzag.

/** Grows as it is written to, up to a bound. */
export class ByteWriter {
  readonly #max: number
  #buffer = Buffer.allocUnsafe(64 * 1024)
  #length = 0

  /** `max`: the most bytes; beyond, writing throws a RangeError. */
  constructor(max: number) {
    this.#max = max
  }

  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#buffer.set(bytes, this.#length)
    this.#length += bytes.length
  }

  /** A whole number from 0. */
  number(value: number): void {
    this.#reserve(8)
    let rest = value
    while (rest >= 128) {
      this.#buffer[this.#length++] = (rest % 128) | 128
      rest = Math.floor(rest / 128)
    }
    this.#buffer[this.#length++] = rest
  }

  /** A whole number. */
  signed(value: number): void {
    this.number(value < 0 ? -2 * value - 1 : 2 * value)
  }

  done(): Buffer {
    return Buffer.from(this.#buffer.subarray(0, this.#length))
  }

  #reserve(bytes: number): void {
    const wanted = this.#length + bytes
    if (wanted > this.#max) throw new RangeError(`more than ${this.#max} bytes`)
    if (wanted <= this.#buffer.length) return
    const grown = Buffer.allocUnsafe(Math.max(wanted, 2 * this.#buffer.length))
    grown.set(this.#buffer.subarray(0, this.#length))
    this.#buffer = grown
  }
}

/** Reads what a `ByteWriter` wrote. Everything returns undefined where the bytes end or are not as they have to be. */
export class ByteReader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  /** Whether these bytes come next; then it is behind them. */
  starts(with_: Uint8Array): boolean {
    const next = this.bytes(with_.length)
    return next !== undefined && Buffer.compare(next, with_) === 0
  }

  bytes(count: number): Uint8Array | undefined {
    const end = this.#at + count
    if (end > this.#bytes.length) return undefined
    const bytes = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return bytes
  }

  /** Up to `max`. */
  number(max: number): number | undefined {
    let value = 0
    for (let scale = 1; scale <= Number.MAX_SAFE_INTEGER; scale *= 128) {
      const byte = this.#bytes[this.#at]
      if (byte === undefined) return undefined
      this.#at++
      value += (byte & 127) * scale
      if (value > max) return undefined
      if (byte < 128) return byte === 0 && scale > 1 ? undefined : value
    }
    return undefined
  }

  /** From -`max` to `max`. */
  signed(max: number): number | undefined {
    const value = this.number(2 * max)
    if (value === undefined) return undefined
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }
}
