// By what the files of a folder are recognised as unchanged, without reading them: for each the same as in a file's stamp
// (device, inode, size and times), in 40 bytes.

import type { BigIntStats } from 'node:fs'
import * as v from 'valibot'

/** Of each entry of a tree; nothing but zeros for a folder, and for a file that is not there. */
export type FolderStamps = BigInt64Array

/** Paths on disk of the entries whose own is another: names in normal form D, as Macs spell them. */
export type Spellings = readonly (readonly [path: string, onDisk: string])[]

const words = 5

export function emptyStamps(entries: number): FolderStamps {
  return new BigInt64Array(entries * words)
}

export function setStamp(stamps: FolderStamps, entry: number, stats: BigIntStats): void {
  const at = entry * words
  // The array takes the lower 64 bits of each, as `asIntN` does below.
  stamps[at] = stats.dev
  stamps[at + 1] = stats.ino
  stamps[at + 2] = stats.size
  stamps[at + 3] = stats.mtimeNs
  stamps[at + 4] = stats.ctimeNs
}

/** Takes over the stamp of an entry. */
export function copyStamp(from: FolderStamps, to: FolderStamps, entry: number): void {
  const at = entry * words
  to.set(from.subarray(at, at + words), at)
}

export function isStampOf(stamps: FolderStamps, entry: number, stats: BigIntStats): boolean {
  const at = entry * words
  return (
    stamps[at] === BigInt.asIntN(64, stats.dev) &&
    stamps[at + 1] === BigInt.asIntN(64, stats.ino) &&
    stamps[at + 2] === stats.size &&
    stamps[at + 3] === BigInt.asIntN(64, stats.mtimeNs) &&
    stamps[at + 4] === BigInt.asIntN(64, stats.ctimeNs)
  )
}

/** Whether it is the same file, and longer. */
export function hasGrown(stamps: FolderStamps, entry: number, stats: BigIntStats): boolean {
  const at = entry * words
  const isSame =
    stamps[at] === BigInt.asIntN(64, stats.dev) && stamps[at + 1] === BigInt.asIntN(64, stats.ino)
  return isSame && stats.isFile() && stats.size > (stamps[at + 2] ?? 0n)
}

/** The size in a stamp, in bytes; -1 where there is none. */
export function sizeIn(stamps: FolderStamps, entry: number): number {
  const at = entry * words
  return stamps[at + 1] === 0n ? -1 : Number(stamps[at + 2])
}

/** Whether all are the same. */
export function areSame(one: FolderStamps, other: FolderStamps): boolean {
  return bytesOf(one).equals(bytesOf(other))
}

/** Whether the stamp of an entry of one is that of an entry of the other. */
export function haveSameStamp(
  one: FolderStamps,
  entry: number,
  other: FolderStamps,
  otherEntry = entry,
): boolean {
  for (let word = 0; word < words; word++)
    if (one[entry * words + word] !== other[otherEntry * words + word]) return false
  return true
}

/** The stamps of these entries, one behind the other. Quick where most follow one another. */
export function pickStamps(stamps: FolderStamps, entries: readonly number[]): FolderStamps {
  const picked = emptyStamps(entries.length)
  for (let from = 0, to = 0; from < entries.length; from = to) {
    const first = entries[from] ?? 0
    for (to = from + 1; entries[to] === first + to - from; to++);
    picked.set(stampsFrom(stamps, first, to - from), from * words)
  }
  return picked
}

/** With room for twice as many entries. */
export function grown(stamps: FolderStamps): FolderStamps {
  const more = new BigInt64Array(2 * stamps.length)
  more.set(stamps)
  return more
}

/** The stamps of so many entries, from this one on: of the same memory. */
export function stampsFrom(stamps: FolderStamps, entry: number, count: number): FolderStamps {
  return stamps.subarray(entry * words, (entry + count) * words)
}

export function capacityOf(stamps: FolderStamps): number {
  return stamps.length / words
}

/** As kept on disk, with the spellings of paths: "CTS1", how long these are as JSON (4 bytes), those, then the stamps. */
export function encodeStamps(stamps: FolderStamps, spellings: Spellings): Buffer {
  const spelt = Buffer.from(JSON.stringify(spellings))
  const header = Buffer.alloc(8)
  header.write(magic, 'latin1')
  header.writeUInt32BE(spelt.length, 4)
  return Buffer.concat([header, spelt, bytesOf(stamps)])
}

/** Undefined when it is not what this program wrote for so many entries. */
export function decodeStamps(
  bytes: Buffer,
  entries: number,
): { stamps: FolderStamps; spellings: Spellings } | undefined {
  if (bytes.length < 8 || bytes.toString('latin1', 0, 4) !== magic) return undefined
  const at = 8 + bytes.readUInt32BE(4)
  if (bytes.length - at !== entries * words * 8) return undefined
  const stamps = emptyStamps(entries)
  new Uint8Array(stamps.buffer).set(bytes.subarray(at))
  try {
    return { stamps, spellings: v.parse(SpellingsShape, JSON.parse(bytes.toString('utf8', 8, at))) }
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof v.ValiError) return undefined
    throw error
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: FolderStamps): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength)
}

const magic = 'CTS1'
const SpellingsShape = v.array(v.tuple([v.string(), v.string()]))
