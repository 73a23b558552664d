// The manifest of a file or folder: its size, and a SHA-1 and a SHA-256 of each piece. A piece counts only if both match:
// published collisions yield different pieces with the same SHA-1, and a forger would have to break both at once.
// The file id is the SHA-256 of the manifest, so the id alone verifies a manifest from anybody, and the manifest
// verifies every piece.

import { hash } from 'node:crypto'
import { manifestBytesMax, pieceBytes, pieceCountMax, treeBytesMax, treeFilesMax } from './limits.ts'
import { pieceCount, pieceLength, pieceOffset } from './pieces.ts'

// The encoding of a file's:
//
//   bytes 0–3    "CTM1"
//   bytes 4–11   size of the file in bytes, unsigned, big-endian
//   then, for each piece, 20 bytes SHA-1 and 32 bytes SHA-256
//
// Of a folder's, whose pieces have various lengths (tree/layout.ts):
//
//   bytes 0–3    "CTM2"
//   bytes 4–11   size of all its files together in bytes, unsigned, big-endian
//   bytes 12–15  how many files it has, likewise
//   bytes 16–19  how many bytes its tree has, which are the first pieces, likewise
//   then, for each piece, 4 bytes length, 20 bytes SHA-1 and 32 bytes SHA-256

const fileMagic = 'CTM1'
const folderMagic = 'CTM2'
const fileHeaderBytes = 12
const folderHeaderBytes = 20
/** Bytes of the hashes of a piece: its SHA-1, then its SHA-256. */
export const hashBytes = 20 + 32
/** Likewise with its length, in the manifest of a folder. */
const measuredBytes = 4 + hashBytes

export interface Manifest {
  /** Of the file, or of all files of the folder together. */
  readonly sizeBytes: number
  readonly pieceCount: number
  /** SHA-256 of `bytes`, lower-case hex. */
  readonly fileId: string
  /** The encoded manifest. */
  readonly bytes: Buffer
  /** What only that of a folder has. */
  readonly folder: FolderFacts | undefined
}

export interface FolderFacts {
  readonly files: number
  readonly treeBytes: number
  /** Where each piece begins in the sequence of all pieces, in bytes, and at the end where the last one ends. */
  readonly offsets: Float64Array
}

/** The size in bytes of the manifest of a file of `sizeBytes`. */
export function manifestLength(sizeBytes: number): number {
  return fileHeaderBytes + pieceCount(sizeBytes) * hashBytes
}

/** Builds the manifest of a file of `sizeBytes` from the hashes of its pieces (52 bytes each, in order). */
export function buildManifest(sizeBytes: number, hashes: Uint8Array): Manifest {
  if (hashes.length !== pieceCount(sizeBytes) * hashBytes)
    throw new RangeError('a manifest needs 52 bytes of hashes per piece')
  const header = Buffer.alloc(fileHeaderBytes)
  header.write(fileMagic, 'latin1')
  header.writeBigUInt64BE(BigInt(sizeBytes), 4)
  return manifestOfFile(sizeBytes, Buffer.concat([header, hashes]))
}

/** What the manifest of a folder is built from. */
export interface FolderParts {
  readonly sizeBytes: number
  readonly files: number
  readonly treeBytes: number
  /** Of each piece, in bytes. */
  readonly lengths: Uint32Array
  /** 52 bytes for each piece, in order. */
  readonly hashes: Uint8Array
}

export function buildFolderManifest({ sizeBytes, files, treeBytes, lengths, hashes }: FolderParts): Manifest {
  const bytes = Buffer.alloc(folderHeaderBytes + lengths.length * measuredBytes)
  bytes.write(folderMagic, 'latin1')
  bytes.writeBigUInt64BE(BigInt(sizeBytes), 4)
  bytes.writeUInt32BE(files, 12)
  bytes.writeUInt32BE(treeBytes, 16)
  for (const [index, length] of lengths.entries()) {
    const at = folderHeaderBytes + index * measuredBytes
    bytes.writeUInt32BE(length, at)
    bytes.set(hashes.subarray(index * hashBytes, (index + 1) * hashBytes), at + 4)
  }
  const manifest = parseManifest(bytes)
  if (manifest === undefined) throw new RangeError('the parts of a folder do not fit together')
  return manifest
}

/** Decodes a manifest; undefined when the bytes are not one. The caller compares the file id. */
export function parseManifest(bytes: Buffer): Manifest | undefined {
  if (bytes.length < fileHeaderBytes || bytes.length > manifestBytesMax) return undefined
  const size = bytes.readBigUInt64BE(4)
  if (size > BigInt(Number.MAX_SAFE_INTEGER)) return undefined
  const magic = bytes.toString('latin1', 0, 4)
  if (magic === folderMagic) return parseFolderManifest(bytes, Number(size))
  if (magic !== fileMagic) return undefined
  const sizeBytes = Number(size)
  if (pieceCount(sizeBytes) > pieceCountMax || bytes.length !== manifestLength(sizeBytes)) return undefined
  return manifestOfFile(sizeBytes, bytes)
}

function manifestOfFile(sizeBytes: number, bytes: Buffer): Manifest {
  return { sizeBytes, pieceCount: pieceCount(sizeBytes), fileId: fileIdOf(bytes), bytes, folder: undefined }
}

function parseFolderManifest(bytes: Buffer, sizeBytes: number): Manifest | undefined {
  const count = (bytes.length - folderHeaderBytes) / measuredBytes
  if (!Number.isInteger(count) || count < 1 || count > pieceCountMax) return undefined
  const [files, treeBytes] = [bytes.readUInt32BE(12), bytes.readUInt32BE(16)]
  if (files > treeFilesMax || treeBytes < 1 || treeBytes > treeBytesMax) return undefined
  const treePieces = pieceCount(treeBytes)
  const offsets = new Float64Array(count + 1)
  for (let index = 0; index < count; index++) {
    const length = bytes.readUInt32BE(folderHeaderBytes + index * measuredBytes)
    if (length < 1 || length > pieceBytes) return undefined
    if (index < treePieces && length !== pieceLength(treeBytes, index)) return undefined
    offsets[index + 1] = (offsets[index] ?? 0) + length
  }
  if (count < treePieces || offsets[count] !== treeBytes + sizeBytes) return undefined
  const folder = { files, treeBytes, offsets }
  return { sizeBytes, pieceCount: count, fileId: fileIdOf(bytes), bytes, folder }
}

/** The hashes of piece `index`: SHA-1, then SHA-256. */
export function hashesOfPiece({ bytes, folder }: Manifest, index: number): Buffer {
  const at =
    folder === undefined
      ? fileHeaderBytes + index * hashBytes
      : folderHeaderBytes + index * measuredBytes + measuredBytes - hashBytes
  return bytes.subarray(at, at + hashBytes)
}

/** The bytes of piece `index`. */
export function lengthOfPiece({ sizeBytes, folder }: Manifest, index: number): number {
  if (folder === undefined) return pieceLength(sizeBytes, index)
  return (folder.offsets[index + 1] ?? 0) - (folder.offsets[index] ?? 0)
}

/** Where piece `index` begins in the sequence of all pieces, in bytes. */
export function offsetOfPiece({ folder }: Manifest, index: number): number {
  return folder === undefined ? pieceOffset(index) : (folder.offsets[index] ?? 0)
}

/** All bytes that are fetched: those of the file, or of the tree and the files of a folder. */
export function contentBytes({ sizeBytes, folder }: Manifest): number {
  return folder === undefined ? sizeBytes : folder.treeBytes + sizeBytes
}

function fileIdOf(bytes: Uint8Array): string {
  return hash('sha256', bytes)
}
