// The pieces of a folder's tree in memory, for who wants to know what is in the folder and none of its files.

import { Bitfield } from '../../common/bitfield.ts'
import { lengthOfPiece, offsetOfPiece, type FolderFacts, type Manifest } from '../../common/manifest.ts'
import { pieceCount } from '../../common/pieces.ts'
import { inSlices } from '../folder/in-slices.ts'
import { verifyPiece } from '../hashing/piece-hash.ts'
import type { ManifestStore } from '../storage/manifest-store.ts'
import type { PieceBuffer, StorePool } from '../workers/store-pool.ts'
import type { SwarmStore } from './swarm-parts.ts'

export class TreeStore implements SwarmStore {
  readonly manifest: Manifest
  readonly have: Bitfield
  readonly wanted: Bitfield
  readonly #storing: StorePool
  readonly #bytes: Buffer

  constructor(manifest: Manifest, { treeBytes }: FolderFacts, storing: StorePool) {
    this.manifest = manifest
    this.have = new Bitfield(manifest.pieceCount)
    this.wanted = treePieces(manifest, treeBytes)
    this.#storing = storing
    this.#bytes = Buffer.allocUnsafe(treeBytes)
  }

  /** The whole tree, when all pieces are there. */
  get tree(): Buffer | undefined {
    return this.have.count === this.wanted.count ? this.#bytes : undefined
  }

  takeBuffer(): PieceBuffer {
    return this.#storing.take()
  }

  async receive(index: number, { bytes }: Pick<PieceBuffer, 'bytes'>): Promise<boolean> {
    const piece = bytes.subarray(0, lengthOfPiece(this.manifest, index))
    if (!verifyPiece(this.manifest, index, piece)) return false
    this.#bytes.set(piece, offsetOfPiece(this.manifest, index))
    this.have.set(index)
    return true
  }
}

/** The pieces of the tree of a folder. */
export function treePieces({ pieceCount: count }: Manifest, treeBytes: number): Bitfield {
  const pieces = new Bitfield(count)
  for (let index = 0; index < pieceCount(treeBytes); index++) pieces.set(index)
  return pieces
}

/** What is kept here of a folder that is shared or downloaded; undefined where that is not all there, or damaged. */
export async function keptFolder(manifests: ManifestStore, fileId: string): Promise<KnownFolder | undefined> {
  const manifest = manifests.load(fileId)
  const tree = manifest && manifests.loadTree(fileId)
  if (manifest?.folder === undefined || tree === undefined) return undefined
  return (await inSlices(isTreeOf(manifest, manifest.folder, tree))) ? { manifest, tree } : undefined
}

/** A folder whose tree is known. */
export interface KnownFolder {
  readonly manifest: Manifest
  /** The bytes of its tree. */
  readonly tree: Buffer
}

function* isTreeOf(
  manifest: Manifest,
  { treeBytes }: FolderFacts,
  bytes: Uint8Array,
): Generator<void, boolean> {
  if (bytes.length !== treeBytes) return false
  for (let index = 0; index < pieceCount(treeBytes); index++) {
    const offset = offsetOfPiece(manifest, index)
    const piece = bytes.subarray(offset, offset + lengthOfPiece(manifest, index))
    if (!verifyPiece(manifest, index, piece)) return false
    yield
  }
  return true
}
