// Gives the one file that is in a filled folder its final name, when that is all that was wanted of a shared folder.

import { constants } from 'node:fs'
import { lstat, open, readdir, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { Failure } from '../../common/failure.ts'
import { idOf, type PartFile, type PartId } from './part-file.ts'
import { giveFinalName } from './publishing.ts'

interface Naming {
  readonly part: PartFile
  readonly destination: string
  readonly overwrite: boolean
  /** Remembers the file, so that the next run knows it by its final name. */
  readonly onMade: (id: PartId) => Promise<void>
}

/**
 * `flushed` resolves when the file has reached the disk. Resolves to undefined when somebody else wrote to the part file:
 * nothing was named then. Rejects with a `file` failure, or with the system's error.
 */
export async function nameOnlyFile(
  folder: string,
  { part, destination, overwrite, onMade }: Naming,
): Promise<{ flushed: Promise<void> } | undefined> {
  const [name] = await readdir(folder)
  if (name === undefined) throw new Failure('file', `somebody has removed the file in ${folder}`)
  const path = join(folder, name)
  await onMade(idOf(await lstat(path)))
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  let isNamed = false
  try {
    const finish = (): boolean => part.isReady()
    const named = await giveFinalName({ file, path, destination, overwrite, finish })
    isNamed = named !== undefined
    return named && { flushed: closing(file, named.flushed) }
  } finally {
    if (!isNamed) await file.close()
  }
}

async function closing(file: FileHandle, flushed: Promise<void>): Promise<void> {
  try {
    await flushed
  } finally {
    await file.close()
  }
}
