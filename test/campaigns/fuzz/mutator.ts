// Makes other inputs of good ones: bytes that change, go and come; values in place of others; parts of other lines.

const whole = [-1, 0, 1, 2 ** 31, 2 ** 32, 2 ** 53, -(2 ** 53), 1e308, 1e-7, 0.5]
const values = [
  ...whole.map(String),
  '1e400',
  '-0',
  'null',
  'true',
  '""',
  '[]',
  '{}',
  '"__proto__"',
  '"constructor"',
  '"\\u0000"',
  '"\\ud800"',
  '"\u202e\u0301\u0301"',
  '[[[[[[[[[[]]]]]]]]]]',
  '{"__proto__":{"x":1}}',
  '{"bytes":5}',
]
const tokens = [
  '"jsonrpc":"2.0"',
  '"id":',
  '"method":',
  '"params":',
  '"result":',
  '"error":',
  '"bytes":',
  '\n',
  '\r\n',
]

export class Mutator {
  readonly #random: () => number
  readonly #lines: readonly Buffer[]

  constructor(random: () => number, lines: readonly string[]) {
    this.#random = random
    this.#lines = lines.map((line) => Buffer.from(line))
  }

  /** A whole number below `count`. */
  below(count: number): number {
    return Math.floor(this.#random() * count)
  }

  /** One line, with its newline, changed in a few places; one in a hundred as it was. */
  next(): Buffer {
    let bytes = this.#any(this.#lines)
    if (this.below(100) > 0) {
      for (let changes = 1 + this.below(4); changes > 0; changes--) bytes = this.#change(bytes)
    }
    return this.below(50) === 0 ? bytes : Buffer.concat([bytes, Buffer.from('\n')])
  }

  /** A line that is still JSON, so that it is not the last one of its connection: values changed, gone, or of others. */
  nextJson(): Buffer {
    const message = JSON.parse(this.#any(this.#lines).toString()) as Record<string, unknown>
    for (let changes = this.below(3); changes > 0; changes--) this.#changeValue(message)
    return Buffer.from(`${JSON.stringify(message)}\n`)
  }

  #changeValue(message: Record<string, unknown>): void {
    let place = message
    for (;;) {
      const keys = Object.keys(place)
      const key = keys[this.below(keys.length)]
      if (key === undefined) return
      const value = place[key]
      if (typeof value === 'object' && value !== null && this.below(4) > 0) {
        place = value as Record<string, unknown>
        continue
      }
      // A body would be waited for.
      if (key === 'bytes') return
      if (this.below(4) === 0) delete place[key]
      else place[key] = this.#otherValue()
      return
    }
  }

  #otherValue(): unknown {
    const values = [
      '',
      'x'.repeat(this.below(3000)),
      'g1',
      null,
      true,
      [],
      {},
      [[[[]]]],
      ...whole,
      '\ud800',
      '__proto__',
    ]
    return values[this.below(values.length)]
  }

  #change(bytes: Buffer): Buffer {
    const at = this.below(bytes.length + 1)
    const behind = at + this.below(Math.min(32, bytes.length - at) + 1)
    switch (this.below(8)) {
      case 0: {
        const copy = Buffer.from(bytes)
        if (at < copy.length) copy[at] = this.below(256)
        return copy
      }
      case 1: {
        const copy = Buffer.from(bytes)
        if (at < copy.length) copy[at] = (copy[at] ?? 0) ^ (1 << this.below(8))
        return copy
      }
      case 2:
        return joined(bytes.subarray(0, at), bytes.subarray(behind))
      case 3:
        return joined(bytes.subarray(0, at), Buffer.from(this.#any(tokens)), bytes.subarray(at))
      case 4:
        return this.#withValue(bytes, at)
      case 5: {
        const other = this.#any(this.#lines)
        const from = this.below(other.length)
        return joined(
          bytes.subarray(0, at),
          other.subarray(from, from + this.below(64)),
          bytes.subarray(behind),
        )
      }
      case 6: {
        const repeated = bytes.subarray(at, behind)
        const times = this.below(100) === 0 ? 1000 : this.below(8)
        return joined(
          bytes.subarray(0, at),
          ...Array.from({ length: times }, () => repeated),
          bytes.subarray(at),
        )
      }
      default:
        return joined(
          bytes.subarray(0, at),
          Buffer.from([0xff, 0xff].slice(this.below(2))),
          bytes.subarray(at),
        )
    }
  }

  /** Another value behind the next colon. */
  #withValue(bytes: Buffer, from: number): Buffer {
    const colon = bytes.indexOf(0x3a, from)
    if (colon === -1) return bytes
    const rest = bytes.subarray(colon + 1)
    const end = rest.findIndex((byte) => byte === 0x2c || byte === 0x7d)
    return joined(
      bytes.subarray(0, colon + 1),
      Buffer.from(this.#any(values)),
      rest.subarray(Math.max(0, end)),
    )
  }

  #any<T>(things: readonly T[]): T {
    return things[this.below(things.length)] as T
  }
}

function joined(...parts: readonly Uint8Array[]): Buffer {
  return Buffer.concat(parts)
}
