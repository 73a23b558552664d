// Reads the bytes of entries, also of those that are being downloaded.

import { Failure } from '../../common/failure.ts'
import { pieceBytes } from '../../common/limits.ts'
import { plainNameProblem } from '../../common/names.ts'
import { pieceCount, pieceOffset } from '../../common/pieces.ts'
import { accept, refuse, type Answer } from '../../common/refusal.ts'
import type { Manifest } from '../../common/manifest.ts'
import { neitherSharedNorDownloaded, noSuchGroup, notLoggedIn } from '../answers.ts'
import { checkTree } from '../downloading/folder-tree.ts'
import type { FolderContents } from '../folder/folder-contents.ts'
import type { ContentReading, ReadableContent } from '../readable-content.ts'
import type { Session } from '../session.ts'
import { ArrivingPieces } from './arriving-pieces.ts'
import type { Core } from './core.ts'
import { spellingOf } from './entry-path.ts'
import { placeOf, type FilePlace } from './file-place.ts'

/** Which piece has these bytes of the file, and where in it. */
type Locate = (from: number) => { readonly index: number; readonly offset: number }

export function readingOf({ session, sources }: Core): ContentReading {
  const trees = new LatestTree()
  return {
    async open({ group, name, path }, signal) {
      const open = session()
      if (open === undefined) return notLoggedIn()
      if (plainNameProblem('group', group) !== undefined) return noSuchGroup(group)
      const spelt = spellingOf(name)
      const found = find(open, group, spelt, path)
      if (found === undefined) return neitherSharedNorDownloaded(group, spelt)
      const pieces = new ArrivingPieces({ sources, group, name: spelt, ...found, signal })
      try {
        const manifest = await pieces.manifest()
        if (manifest.folder !== undefined) return await inFolder(pieces, trees, manifest, spelt, path)
        if (path !== undefined) return refuse('no-such-file', `${spelt} is a file, not a folder`)
        const { sizeBytes, fileId: tag } = manifest
        return accept(contentOf(pieces, { name: spelt, sizeBytes, tag }, locateInFile))
      } catch (error) {
        if (!(error instanceof Failure)) throw error
        return refuse('unavailable', error.message)
      }
    },
  }
}

function locateInFile(from: number): ReturnType<Locate> {
  return { index: Math.floor(from / pieceBytes), offset: from % pieceBytes }
}

/** What is fetched comes first: a new version, where the one before is shared. */
function find(
  { downloads, shares }: Session,
  group: string,
  name: string,
  path: string | undefined,
): Pick<ConstructorParameters<typeof ArrivingPieces>[0], 'fileId' | 'download'> | undefined {
  const whole = downloads.unfinished(group, name)
  const part = path === undefined ? undefined : downloads.unfinished(group, `${name}/${path}`)
  const download = whole ?? part
  const fileId = download?.record.fileId ?? shares.shareOf(group, name)?.fileId
  return fileId === undefined ? undefined : { fileId, download }
}

async function inFolder(
  pieces: ArrivingPieces,
  trees: LatestTree,
  manifest: Manifest,
  name: string,
  path: string | undefined,
): Promise<Answer<ReadableContent>> {
  if (path === undefined) return refuse('usage', `${name} is a folder; say which file of it: ?path=`)
  const place = placeOf(await trees.read(pieces, manifest), path)
  if (place === undefined) return refuse('no-such-file', `there is no file ${path} in ${name}`)
  const facts = { name: path.split('/').at(-1) ?? path, ...place, tag: `${manifest.fileId}-${place.entry}` }
  return accept(contentOf(pieces, facts, (from) => locateIn(place, from)))
}

function locateIn({ firstPiece, offset }: FilePlace, from: number): ReturnType<Locate> {
  const at = offset + from
  return { index: firstPiece + Math.floor(at / pieceBytes), offset: at % pieceBytes }
}

function contentOf(
  pieces: ArrivingPieces,
  { name, sizeBytes, tag }: Pick<ReadableContent, 'name' | 'sizeBytes' | 'tag'>,
  locate: Locate,
): ReadableContent {
  return {
    name,
    sizeBytes,
    tag,
    read: async (from) => {
      const { index, offset } = locate(from)
      const piece = await pieces.read(index, locate(sizeBytes - 1).index)
      // Behind a small file of a folder others may lie in its piece.
      return piece.subarray(offset, Math.min(piece.length, offset + sizeBytes - from))
    },
  }
}

/** What is in the folder that was looked at last: a page asks for many files of one. */
class LatestTree {
  #latest: { readonly fileId: string; readonly contents: WeakRef<FolderContents> } | undefined

  /** Rejects with a failure when the tree is not here. */
  async read(pieces: ArrivingPieces, manifest: Manifest): Promise<FolderContents> {
    const { fileId, folder } = manifest
    const known = this.#latest?.fileId === fileId ? this.#latest.contents.deref() : undefined
    if (known !== undefined) return known
    if (folder === undefined) throw new Error('only a folder has a tree')
    const tree = Buffer.alloc(folder.treeBytes)
    const count = pieceCount(folder.treeBytes)
    for (let index = 0; index < count; index++)
      (await pieces.read(index, count - 1)).copy(tree, pieceOffset(index))
    const contents = await checkTree(folder, tree)
    this.#latest = { fileId, contents: new WeakRef(contents) }
    return contents
  }
}
