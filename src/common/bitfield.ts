// A bitfield: one bit per piece, most significant bit first, as in BEP 3.

export class Bitfield {
  readonly length: number
  readonly #bytes: Uint8Array
  #count = 0

  constructor(length: number) {
    this.length = length
    this.#bytes = new Uint8Array(Math.ceil(length / 8))
  }

  static full(length: number): Bitfield {
    const field = new Bitfield(length)
    for (let index = 0; index < length; index++) field.set(index)
    return field
  }

  /** Decodes a bitfield; undefined when the length is wrong or a spare bit at the end is set. */
  static fromBytes(bytes: Uint8Array, length: number): Bitfield | undefined {
    if (bytes.length !== Math.ceil(length / 8)) return undefined
    const field = new Bitfield(length)
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      if (((bytes[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) === 0) continue
      if (bit >= length) return undefined
      field.set(bit)
    }
    return field
  }

  /** The number of bits set. */
  get count(): number {
    return this.#count
  }

  get isFull(): boolean {
    return this.#count === this.length
  }

  /** False for an index out of range, which bit operations alone would wrap around to another bit. */
  has(index: number): boolean {
    return index >= 0 && index < this.length && ((this.#bytes[index >> 3] ?? 0) & (0x80 >> (index & 7))) !== 0
  }

  set(index: number): void {
    if (index < 0 || index >= this.length)
      throw new RangeError(`bit ${index} is out of range: there are ${this.length}`)
    if (this.has(index)) return
    this.#bytes[index >> 3] = (this.#bytes[index >> 3] ?? 0) | (0x80 >> (index & 7))
    this.#count++
  }

  clear(index: number): void {
    if (!this.has(index)) return
    this.#bytes[index >> 3] = (this.#bytes[index >> 3] ?? 0) & ~(0x80 >> (index & 7))
    this.#count--
  }

  toBytes(): Uint8Array {
    return this.#bytes.slice()
  }

  toBase64(): string {
    return Buffer.from(this.#bytes).toString('base64')
  }
}
