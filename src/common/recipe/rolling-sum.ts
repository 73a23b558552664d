// The sum by which a block is looked for at every offset: that of the next offset follows from the one before in two
// multiplications. Polynomial, since the sums of rsync say little about text, and no secret: what has the same sum is
// compared by SHA-256.

/** Odd, so that no byte is lost, with bits all over. */
const factor = 0x9e3779b1

/** `factor` to these powers, mod 2^32. */
const factor2 = Math.imul(factor, factor)
const factor3 = Math.imul(factor2, factor)
const factor4 = Math.imul(factor3, factor)

/** The sum of bytes from `from` up to `to`, as a signed number of 32 bits. */
export function sumOf(bytes: Uint8Array, from: number, to: number): number {
  let sum = 0
  let at = from
  // Four at a time: each multiplication of the sum waits for the one before.
  for (; at + 4 <= to; at += 4) {
    const four =
      Math.imul(bytes[at] ?? 0, factor3) +
      Math.imul(bytes[at + 1] ?? 0, factor2) +
      Math.imul(bytes[at + 2] ?? 0, factor) +
      (bytes[at + 3] ?? 0)
    sum = (Math.imul(sum, factor4) + four) | 0
  }
  for (; at < to; at++) sum = (Math.imul(sum, factor) + (bytes[at] ?? 0)) | 0
  return sum
}

/** What a byte counts for when it has left a block of this length. */
export function weightOfLeaving(length: number): number {
  let weight = 1
  for (let power = 0; power < length; power++) weight = Math.imul(weight, factor)
  return weight
}

/** The sum one byte further on; `weight` is `weightOfLeaving` of the length. */
export function rolled(sum: number, leaves: number, enters: number, weight: number): number {
  return (Math.imul(sum, factor) + enters - Math.imul(leaves, weight)) | 0
}

/** The sum of two parts, one behind the other; `weight` is `weightOfLeaving` of the length of the second one. */
export function joinedSum(first: number, second: number, weight: number): number {
  return (Math.imul(first, weight) + second) | 0
}
