// Finds the data folder for a list of trackers when none is given. The folder is named after the list and holds a
// copy of the list that used it last. So a list with an added, removed or moved line finds its data again; with a
// new, empty folder, clients would see a community without their accounts and groups.

import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { formatAddress, type Address } from '../common/addresses.ts'
import { defaultDataFolder, replaceFileSync } from '../common/data-folder.ts'
import { Failure, sentenceOf, systemCode } from '../common/failure.ts'
import { readTrackerInfo } from '../common/tracker-info.ts'
import { hasCommunity } from './community.ts'

/** A data folder that a tracker has used. */
export interface KnownFolder {
  readonly path: string
  /** Equal for all names of one folder. */
  readonly identity: string
  /** The list that used it last, by its copy or else by its own name. Empty when neither says. */
  readonly trackers: readonly string[]
}

const prefix = 'tracker-'
/** File systems bound the length of a name, and a list of trackers may be long. */
const nameMax = 100

/**
 * The folder of this list; else that of a list that shares a tracker with it, which is then `isFoundAgain`; else a
 * new one. The tracker's number makes no difference, so all trackers of one machine use the same folder. Throws a
 * `usage` failure when several folders match.
 */
export function folderOfList(
  list: readonly Address[],
  knownFolders: (parent: string) => readonly KnownFolder[],
): { path: string; isFoundAgain: boolean } {
  const own = defaultDataFolder(prefix + nameOf(list))
  const trackers = list.map(nameOfTracker)
  // Port 0 means any port, so it does not identify a tracker.
  const lasting = new Set(list.filter(({ port }) => port !== 0).map(nameOfTracker))
  if (lasting.size === 0) return { path: own, isFoundAgain: false }
  const known = knownFolders(dirname(own))
  const isOfList = (folder: KnownFolder): boolean =>
    folder.path === own || folder.trackers.join() === trackers.join()
  const ofList = known.filter(isOfList)
  const related = known.filter((folder) => folder.trackers.some((tracker) => lasting.has(tracker)))
  const found = withoutSecondNames(ofList.length > 0 ? ofList : related)
  if (found.length > 1) {
    const paths = found.map(({ path }) => path).join(' and ')
    throw new Failure(
      'usage',
      `several data folders match this list: ${paths}; name the right one with --data-dir`,
    )
  }
  const [folder] = found
  return folder === undefined
    ? { path: own, isFoundAgain: false }
    : { path: folder.path, isFoundAgain: !isOfList(folder) }
}

/** The data folders in `parent` that a tracker has used, by name. Throws a `data` failure if it cannot be read. */
export function readKnownFolders(parent: string): KnownFolder[] {
  let names: string[]
  try {
    names = readdirSync(parent)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return []
    throw new Failure(
      'data',
      `cannot look for the data of this list in ${parent}: ${sentenceOf(error)}`,
      error,
    )
  }
  return names
    .filter((name) => name.startsWith(prefix) && hasCommunity(join(parent, name)))
    .toSorted()
    .map((name) => {
      const path = join(parent, name)
      return { path, identity: realpathSync(path), trackers: trackersOf(path, name) }
    })
}

/** Stores a copy of the list in the folder. Throws the system's error. */
export function rememberList(dataFolder: string, list: readonly Address[]): void {
  const copy = copyIn(dataFolder)
  const text = `# The list of trackers that had this folder last.\n${list.map(formatAddress).join('\n')}\n`
  if (!existsSync(copy) || readFileSync(copy, 'utf8') !== text) replaceFileSync(copy, text)
}

function copyIn(dataFolder: string): string {
  return join(dataFolder, 'tracker_info.txt')
}

function trackersOf(path: string, name: string): string[] {
  const copy = copyIn(path)
  // Folders of earlier versions have none.
  if (!existsSync(copy)) return name.slice(prefix.length).split('+')
  return readTrackerInfo(copy, (file) => readFileSync(file, 'utf8')).map(nameOfTracker)
}

/** Keeps the first of each identity: links give a folder several names. */
function withoutSecondNames(folders: readonly KnownFolder[]): KnownFolder[] {
  return folders.filter(
    ({ identity }, index) => folders.findIndex((each) => each.identity === identity) === index,
  )
}

function nameOf(list: readonly Address[]): string {
  const name = list.map(nameOfTracker).join('+')
  return name.length <= nameMax ? name : createHash('sha256').update(name).digest('hex')
}

function nameOfTracker(address: Address): string {
  return formatAddress(address).replace(/[:[\]]/g, '_')
}
