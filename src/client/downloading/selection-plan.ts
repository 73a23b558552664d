// Decides how the download of a part of a folder is to begin: what it is, if anybody can say so now, and where it goes.

import { basename } from 'node:path'
import { accept, refuse, type Answer, type RefusalCode } from '../../common/refusal.ts'
import type { Fetched } from '../file-key.ts'
import { inSlices } from '../folder/in-slices.ts'
import { select, type Selection } from '../folder/selection.ts'
import { fixedPartOf, isPattern } from '../glob.ts'
import type { PlanOptions } from './already-there.ts'
import type { RememberedDownload } from '../storage/user-store.ts'
import { checkRoom, pathFor, placeFor } from './destination.ts'
import type { FolderReader, ReadFolder } from './folder-reader.ts'
import type { Download } from './download.ts'
import type { FoundFile } from './swarm-lookup.ts'
import { takenBy } from './taken-place.ts'

/** Like a `Plan` to fetch it. */
interface SelectionPlan {
  readonly kind: 'fetch'
  readonly record: RememberedDownload
  readonly waiting: boolean
  readonly folder: ReadFolder | undefined
}

/** Then what is in the folder may be said later. */
const saidByNobody: ReadonlySet<RefusalCode> = new Set(['not-shared', 'timed-out', 'unavailable'])

/**
 * `destination`: given by a person. What is wanted is looked for at once, where anybody says what is in the folder; else it
 * is looked for when somebody does, and a download of nothing fails then.
 */
export async function planSelection(
  file: Fetched & { readonly within: string },
  found: FoundFile,
  destination: string,
  { overwrite, adopt = false, from }: PlanOptions,
  {
    reader,
    downloads,
    waiting,
  }: { readonly reader: FolderReader; readonly downloads: readonly Download[]; readonly waiting: boolean },
): Promise<Answer<SelectionPlan>> {
  const { name, within } = file
  const { fileId, sizeBytes, files } = found
  if (files === undefined) return refuse('no-such-file', `${name} is a file, not a folder`)
  if (adopt) return refuse('usage', '--adopt is for a whole file or folder')
  const read = await reader.read(file, found)
  if (!read.ok && !saidByNobody.has(read.refusal.code)) return read
  const selected = read.ok ? await inSlices(select(read.value.entries, within, name)) : undefined
  if (selected?.ok === false) return selected
  const selection = selected?.value
  if (overwrite && selection?.isFile === false)
    return refuse('usage', `--overwrite replaces a file, and ${name}/${within} is none`)
  const ownName = nameOf(name, within, selection)
  const path = destination === '' ? '' : await pathFor(destination, ownName)
  const taken = takenBy(path, file, downloads)
  if (taken !== undefined) return taken
  const place = await placeFor(destination, ownName, overwrite)
  if (!place.ok) return place
  // It is written from its part file, which goes then.
  const room = await checkRoom(place.value, 2 * (selection?.sizeBytes ?? 0))
  if (!room.ok) return room
  const record = {
    ...file,
    fileId,
    sizeBytes,
    files,
    selectedBytes: selection?.sizeBytes,
    destination: place.value,
    overwrite,
    paused: false,
    unshared: false,
    from,
  }
  return accept({ kind: 'fetch', record, waiting, folder: read.ok ? read.value : undefined })
}

/** What it is called in a folder that is there already: as the file or folder that is named, or that has all that matches. */
function nameOf(name: string, within: string, selection: Selection | undefined): string {
  const path = selection === undefined ? guessedPath(within) : selection.path
  return path === '' ? name : basename(path)
}

function guessedPath(within: string): string {
  return isPattern(within) ? fixedPartOf(within) : within
}
