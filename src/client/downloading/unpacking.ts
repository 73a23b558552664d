// Gives a complete folder its final name: fills a folder beside the destination from the part file, and renames it when
// all is in it. So nothing is ever half there. A kill leaves the part file and that folder, which the next run makes
// anew; or the folder under its name, which the next run knows by its id.

import { chmod, lstat, mkdir, readdir, rename, rm, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Failure, systemCode } from '../../common/failure.ts'
import type { ReplacedFolder } from './already-there.ts'
import type { Selection } from '../folder/selection.ts'
import { nameOnlyFile } from './only-file.ts'
import { readContents, unpack } from '../workers/unpack.ts'
import { fileFailure, idOf, isThatPart, removePart, type PartFile, type PartId } from './part-file.ts'
import { existsNow } from './publishing.ts'
import type { UnpackAhead } from './unpack-ahead.ts'
import { flushFolder, flushName, isThat, lookAt, swapFolders, unpackPathOf } from './swap.ts'

export interface Unpacking {
  readonly part: PartFile
  readonly destination: string
  /** The part of the folder that is wanted; undefined for the whole. */
  readonly selection: Selection | undefined
  /** A file at the destination may be replaced by one. */
  readonly overwrite: boolean
  /** Of the same part file. */
  readonly ahead: UnpackAhead
  /** Resolves when the tree is that of the pieces; rejects when not. */
  readonly check: () => Promise<void>
  /** The folder that an earlier run filled. */
  readonly known: PartId | undefined
  /** The folder at the destination that is to be replaced. */
  readonly replaces: ReplacedFolder | undefined
  /** SHA-256 of the tree of a folder now, hex; undefined where it has none. */
  readonly treeAt: (path: string) => Promise<string | undefined>
  /** The folder that is filled, or the only file in it; resolves when that is remembered. */
  readonly onMade: (id: PartId) => Promise<void>
}

/**
 * Returns undefined when somebody else wrote to the part file: nothing was done, and it must be verified again. `flushed`
 * resolves when all has reached the disk. Rejects with a `file` failure, or a `protocol` one for a tree that is none.
 */
export async function publishFolder(unpacking: Unpacking): Promise<{ flushed: Promise<void> } | undefined> {
  const { part, destination, selection, known, check, onMade } = unpacking
  const target = unpackPathOf(destination)
  await part.settled()
  await part.checkInPlace()
  if (!part.isReady()) return undefined
  let named: { flushed: Promise<void> } | undefined
  try {
    await check()
    await clear(target, known)
    // Nobody else may put anything into it before it has its name.
    await mkdir(target, 0o700)
    await onMade(idOf(await lstat(target)))
    await fill(unpacking, target)
    // A part is shared by nobody, so nobody would look at it again after a power failure.
    if (selection !== undefined) await flushFolder(target)
    await part.settled()
    if (selection?.isFile === true) {
      named = await nameOnlyFile(target, unpacking)
      await rm(target, { recursive: true })
      if (named === undefined) return undefined
    } else {
      if (!part.isReady()) {
        await rm(target, { recursive: true })
        return undefined
      }
      await chmod(target, 0o777 & ~process.umask())
      await name(unpacking, target)
    }
    await part.remove()
  } catch (error) {
    throw isTaken(error) ? existsNow(destination, error) : fileFailure(`cannot write ${destination}`, error)
  }
  // It may reject before anyone listens, and an unhandled rejection ends the program.
  const { flushed } = named ?? { flushed: flushFolder(destination).then(() => flushName(destination)) }
  flushed.catch(() => undefined)
  return { flushed }
}

/** Gives the filled folder its final name, at which there is nothing or the folder that it replaces. */
async function name({ destination, replaces, treeAt }: Unpacking, target: string): Promise<void> {
  const there = await lookAt(destination)
  if (there === undefined) return rename(target, destination)
  if (replaces === undefined || !there.isDirectory() || !isThatPart(idOf(there), replaces.id))
    throw existsNow(destination)
  await swapFolders({ destination, replaces, treeAt })
}

async function fill({ ahead, replaces, destination, selection }: Unpacking, target: string): Promise<void> {
  const task = { target, former: replaces === undefined ? undefined : destination, selection }
  const { source } = ahead
  if (ahead.isShort(selection?.sizeBytes)) unpack(source, readContents(source), task)
  else await ahead.take().unpack(task)
}

/**
 * Whether the folder that was filled, or the file in it, has its final name already; its part file goes then. Rejects with
 * a `file` failure.
 */
export async function isUnpacked({
  destination,
  unpacked,
  part,
}: {
  readonly destination: string
  readonly unpacked?: PartId | undefined
  readonly part?: PartId | undefined
}): Promise<boolean> {
  if (unpacked === undefined || !(await isThat(destination, unpacked))) return false
  // Of a file there may be another name in it.
  await removeUnpacked(destination, unpacked)
  if (part !== undefined) await removePart(destination, part)
  return true
}

/** Removes what was filled and has no final name. Rejects with a `file` failure. */
export async function removeUnpacked(destination: string, known: PartId | undefined): Promise<void> {
  if (known === undefined) return
  const target = unpackPathOf(destination)
  await clear(target, known).catch((error: unknown) => {
    throw fileFailure(`cannot remove ${target}`, error)
  })
}

/** Removes what an earlier run left; what somebody else put there stays, and is refused. */
async function clear(target: string, known: PartId | undefined): Promise<void> {
  const there = await lookAt(target)
  if (there === undefined) return
  if (there.isDirectory() && known !== undefined && (await isOurs(target, known))) {
    await rm(target, { recursive: true })
    return
  }
  // A kill before it was remembered leaves an empty one.
  await rmdir(target).catch((error: unknown) => {
    throw new Failure('file', `${target} is in the way; move it away`, error)
  })
}

/** Whether this is the folder that was filled, or has nothing but the file that was. */
async function isOurs(target: string, known: PartId): Promise<boolean> {
  if (await isThat(target, known)) return true
  const [name, ...others] = await readdir(target)
  return name !== undefined && others.length === 0 && (await isThat(join(target, name), known))
}

function isTaken(error: unknown): boolean {
  return ['ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(systemCode(error) ?? '')
}
