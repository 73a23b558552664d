// The data folder of the trackers of a list, where none is named. It is called after the list, and remembers
// in a copy which list had it last. So a list that has got, lost or moved a line finds its data again, where a
// new and empty folder would show clients a community without their accounts and groups.

import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { formatAddress, type Address } from '../common/addresses.ts'
import { defaultDataFolder, replaceFileSync } from '../common/data-folder.ts'
import { Failure, sentenceOf, systemCode } from '../common/failure.ts'
import { readTrackerInfo } from '../common/tracker-info.ts'
import { hasCommunity } from './community.ts'

/** A data folder with something in it. */
export interface KnownFolder {
  readonly path: string
  /** The same for all names of one folder. */
  readonly identity: string
  /** The list that had it last, as its copy or else its own name says. Empty when neither does. */
  readonly trackers: readonly string[]
}

const prefix = 'tracker-'
/** The names of folders are short everywhere, and a list of trackers may be long. */
const nameMax = 100

/**
 * The folder that belongs to this list; else the one of a list that has a tracker in common with it, which is
 * then `isFoundAgain`; else a new one. Which number of the list asks makes no difference, so that all trackers
 * of one machine come to the same. Throws a `usage` failure when several folders may be meant.
 */
export function folderOfList(
  list: readonly Address[],
  knownFolders: (parent: string) => readonly KnownFolder[],
): { path: string; isFoundAgain: boolean } {
  const own = defaultDataFolder(prefix + nameOf(list))
  const trackers = list.map(nameOfTracker)
  // Port 0 is any port, and says nothing about which tracker it was.
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
      `several data folders may be that of this list: ${paths}; name the right one with --data-dir`,
    )
  }
  const [folder] = found
  return folder === undefined
    ? { path: own, isFoundAgain: false }
    : { path: folder.path, isFoundAgain: !isOfList(folder) }
}

/** The data folders in `parent` by their names, as far as a tracker has run with them. Throws a `data` failure. */
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

/** Has the folder remember the list. Throws the system's error. */
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

/** The first of each identity: a folder has several names where somebody made a link to it. */
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
